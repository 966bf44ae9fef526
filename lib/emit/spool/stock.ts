/**
 * What a spool holds in memory of its folder: one small entry a message, and how much room is left.
 *
 * @module
 */
import { BusyError } from "../busy-error";
import { createSequence, type Sequence } from "../disk/sequence";
import type { SpoolSettings } from "./options";
import type { SpoolEntry } from "./schedule";

/** How a spool stands. */
export type SpoolStats = {
  /** Messages to be handed on, those under way among them. */
  readonly pending: number;
  readonly underWay: number;
  readonly dead: number;
  /** Bytes of all of them. */
  readonly bytes: number;
  /** How long ago the oldest pending message was received, in milliseconds. */
  readonly oldestAgeMs?: number;
  /** Attempts that have failed since the process has started. */
  readonly failures: number;
};

export type SpoolIndex = {
  readonly pending: Map<string, SpoolEntry>;
  readonly dead: Map<string, SpoolEntry>;
  /** What is pending, by identity; the promise of one that is being written. */
  readonly copies: Map<string, Promise<void> | undefined>;
  /** @throws BusyError if there is no room. */
  readonly reserve: (bytes: number) => void;
  readonly release: (bytes: number) => void;
  readonly bytes: () => number;
  /** Makes ids. */
  readonly sequence: Sequence;
  /** Counts what was found in the folder. It may be more than there is room for. */
  readonly found: (entry: SpoolEntry, isDead: boolean) => void;
  /** Adds what has its room already. */
  readonly add: (entry: SpoolEntry) => void;
  /** It is pending no longer. */
  readonly settle: (entry: SpoolEntry, isDead: boolean) => void;
  readonly stats: () => Omit<SpoolStats, "underWay" | "failures">;
  readonly clear: () => void;
};

const RETRY_SECONDS = 10;

/** Creates an empty index. */
export function createIndex(limits: Pick<SpoolSettings, "folder" | "maxMessages" | "maxBytes">): SpoolIndex {
  const { folder, maxMessages, maxBytes } = limits;
  const pending = new Map<string, SpoolEntry>();
  const dead = new Map<string, SpoolEntry>();
  const copies = new Map<string, Promise<void> | undefined>();
  const sequence = createSequence();
  let messages = 0;
  let bytes = 0;

  function add(entry: SpoolEntry): void {
    pending.set(entry.id, entry);
    copies.set(entry.key, undefined);
  }

  return {
    pending,
    dead,
    copies,
    sequence,
    reserve(size) {
      if (messages + 1 > maxMessages || bytes + size > maxBytes) {
        const held = `${messages} messages of ${bytes} bytes, ${dead.size} of them dead`;
        throw new BusyError(`The spool in ${folder} is full: ${held}.`, { retryAfterSeconds: RETRY_SECONDS });
      }
      messages++;
      bytes += size;
    },
    release(size) {
      messages--;
      bytes -= size;
    },
    bytes: () => bytes,
    found(entry, isDead) {
      messages++;
      bytes += entry.bytes;
      sequence.found(entry.id);
      if (isDead) dead.set(entry.id, entry);
      else add(entry);
    },
    add,
    settle(entry, isDead) {
      pending.delete(entry.id);
      copies.delete(entry.key);
      if (isDead) dead.set(entry.id, entry);
    },
    stats() {
      let oldest = Infinity;
      for (const { receivedAt } of pending.values()) oldest = Math.min(oldest, receivedAt);
      const age = oldest < Infinity ? { oldestAgeMs: Math.max(0, Date.now() - oldest) } : {};
      return { pending: pending.size, dead: dead.size, bytes, ...age };
    },
    clear() {
      messages = bytes = 0;
      for (const map of [pending, dead, copies]) map.clear();
    },
  };
}
