/**
 * What whoever runs a spool asks of it: what is pending, what is dead, and once more.
 *
 * @module
 */
import type { Message } from "../../message";
import { positiveInteger } from "../../request/options";
import type { SpoolIndex } from "./stock";
import type { SpooledMessage, SpoolJournal } from "./journal";
import type { SpoolEntry } from "./schedule";

/** Which messages of a list are asked for. */
export type SpoolListOptions = {
  /** @defaultValue `100` */
  readonly limit?: number | undefined;
  /** The `id` of the last one that is known: those behind it are listed. */
  readonly after?: string | undefined;
};

export type SpoolDesk<Payload = unknown> = {
  /** The messages to be handed on, in the order in which they came. */
  readonly pending: (options?: SpoolListOptions) => Promise<SpooledMessage[]>;
  /** The messages that were given up, in the order in which they came. */
  readonly dead: (options?: SpoolListOptions) => Promise<SpooledMessage[]>;
  /** A message, pending or dead, as the emitter behind is given it. */
  readonly get: (id: string) => Promise<Message<Payload> | undefined>;
  /** Makes a dead message pending again, behind the others of its group. Resolves to whether there was one. */
  readonly retry: (id: string) => Promise<boolean>;
  /** Removes a dead message for good. Resolves to whether there was one. */
  readonly drop: (id: string) => Promise<boolean>;
};

export type DeskParts = {
  readonly ready: () => Promise<void>;
  readonly index: SpoolIndex;
  readonly journal: SpoolJournal;
  readonly retried: (entry: SpoolEntry) => void;
  readonly removed: (entry: SpoolEntry) => void;
};

/** Creates the functions of a spool that are no part of emitting. */
export function createDesk({ ready, index, journal, retried, removed }: DeskParts): SpoolDesk {
  const { pending, dead } = index;

  async function list(
    entries: Map<string, SpoolEntry>,
    { limit = 100, after = "" }: SpoolListOptions = {},
  ): Promise<SpooledMessage[]> {
    positiveInteger("limit", limit);
    await ready();
    const behind = [...entries.values()].filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    return journal.list(behind.slice(0, limit));
  }

  /** Takes a dead one out, so that nobody else does; puts it back if the work on it fails. */
  async function withDead(id: string, work: (entry: SpoolEntry) => Promise<void>): Promise<boolean> {
    await ready();
    const entry = dead.get(id);
    if (!entry) return false;
    dead.delete(id);
    try {
      await work(entry);
      return true;
    } catch (error) {
      dead.set(id, entry);
      throw error;
    }
  }

  return {
    pending: (options) => list(pending, options),
    dead: (options) => list(dead, options),
    async get(id) {
      await ready();
      return pending.has(id) || dead.has(id) ? journal.read(id) : undefined;
    },
    retry: (id) =>
      withDead(id, async (entry) => {
        await journal.revive(id);
        retried(Object.assign(entry, { attempts: 0, error: undefined, dueAt: performance.now() }));
      }),
    drop: (id) =>
      withDead(id, async (entry) => {
        await journal.remove(id);
        removed(entry);
      }),
  };
}
