/**
 * Emitter: keeps messages on disk, and hands them to the emitter behind it in the background, again and again if need be.
 *
 * @module
 */
import type { EmitContext, Emitter, Message } from "../../message";
import { positiveInteger } from "../../request/options";
import { BusyError } from "../busy-error";
import { createDesk, type SpoolDesk } from "./desk";
import { teller } from "./events";
import { createIndex, type SpoolStats } from "./stock";
import { createIntake } from "./intake";
import { createJournal } from "./journal";
import { spoolSettings, type SpoolOptions } from "./options";
import { createSchedule, type SpoolEntry } from "./schedule";
import { createWorker } from "./worker";
import { createStore } from "../disk/store";

export type { SpoolDesk, SpoolListOptions } from "./desk";
export type { SpoolEvent } from "./events";
export type { SpoolStats } from "./stock";
export type { SpooledMessage } from "./journal";
export type { SpoolOptions } from "./options";

/** An emitter that confirms a message once it is on disk. */
export type Spool<Payload = unknown> = Emitter<Payload> &
  SpoolDesk<Payload> & {
    /** Resolves once the folder is open, and what it holds is known. Rejects if it cannot be opened now. */
    readonly ready: () => Promise<void>;
    readonly stats: () => SpoolStats;
    /**
     * Refuses what comes from now on with a `BusyError`, ends what is under way, and lets go of the folder. Attempts that
     * last longer than `timeoutMs` (10,000) are told by their signal, and made again at the next start.
     */
    readonly close: (options?: { readonly timeoutMs?: number | undefined }) => Promise<void>;
  };

const REOPEN_MS = 1_000;
/** How much has to be removed before the disk is asked to give it back. */
const COMPACT_BYTES = 67_108_864;

/**
 * Creates a spool. It confirms a message once an fsync has put it on disk, one fsync for all that came together, and hands it
 * on in the background: `spool({ folder, emitter: handler })` runs jobs, `fallback(primary, spool({ folder, emitter: primary }))`
 * keeps what comes while a broker is away. It needs the package `classic-level`.
 *
 * Promise: at least once, over crashes and power cuts; on macOS an fsync leaves the last step to the drive. Order: as they
 * came within a `groupId`, whose first message holds up the others until it is delivered or dead; none without one. A
 * message with the `key` of one that is pending is confirmed, and not kept twice. A full folder, a full disk and a folder in
 * use by another process are a `BusyError` (503), and logged.
 *
 * @throws TypeError at start, for a wrong option.
 * @throws Error at start, if the folder cannot be made, or `classic-level` cannot be loaded.
 */
export function spool<Payload = unknown>(options: SpoolOptions<Payload>): Spool<Payload> {
  const settings = spoolSettings(options as SpoolOptions);
  const { folder, logger, maxDelayMs } = settings;
  const store = createStore({ folder, kind: "spool", logger });
  const journal = createJournal(store);
  const schedule = createSchedule();
  const index = createIndex(settings);
  const tell = teller(folder, stats);
  const stored = (entry: SpoolEntry): void => add(entry, "stored");
  const intake = createIntake({ settings, index, journal, stored });
  const worker = createWorker({ settings, journal, schedule, settled, failed });
  let failures = 0;
  let removedBytes = 0;
  let starting: Promise<void> | undefined;
  let isReady = false;
  let closing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function ready(): Promise<void> {
    return (starting ??= load().catch((error: unknown) => {
      starting = undefined;
      // What the folder holds is handed on even if no message ever comes.
      if (!closing) timer = setTimeout(start, REOPEN_MS).unref();
      throw error;
    }));
  }

  function start(): void {
    ready().catch(() => {}); // It is logged, and told to whoever emits.
  }

  function unreadable(id: string): void {
    logger.error(`spool ${folder}: message ${id} is damaged, and stays where it is`);
  }

  async function load(): Promise<void> {
    clearTimeout(timer);
    index.clear();
    const found: SpoolEntry[] = [];
    for await (const { entry, state } of journal.load(unreadable)) {
      index.found(entry, state?.isDead === true);
      if (state?.isDead) continue;
      // A clock that was set back must not make it wait for ever.
      const waitMs = Math.min((state?.nextAttemptAt ?? 0) - Date.now(), maxDelayMs);
      if (waitMs > 0) entry.dueAt = performance.now() + waitMs;
      found.push(entry);
    }
    found.forEach(schedule.add);
    isReady = true;
    worker.pump();
  }

  async function emit(message: Message, context: EmitContext): Promise<void> {
    if (closing) throw new BusyError(`The spool in ${folder} is closed.`);
    if (!isReady) await ready();
    await intake(message, context);
  }

  function add(entry: SpoolEntry, kind: "stored" | "retried"): void {
    index.add(entry);
    schedule.add(entry);
    tell(kind, entry);
    worker.pump();
  }

  function settled(entry: SpoolEntry, kind: "delivered" | "removed" | "dead"): void {
    index.settle(entry, kind === "dead");
    if (kind !== "dead") giveBack(entry);
    tell(kind, entry);
  }

  function failed(entry: SpoolEntry, kind: "failed" | "busy"): void {
    failures++;
    tell(kind, entry);
  }

  function giveBack({ bytes }: SpoolEntry): void {
    index.release(bytes);
    removedBytes += bytes;
    if (removedBytes < COMPACT_BYTES || removedBytes < index.bytes()) return;
    removedBytes = 0;
    store.compact().catch(() => {});
  }

  function stats(): SpoolStats {
    return { ...index.stats(), underWay: worker.underWay(), failures };
  }

  async function close(timeoutMs: number): Promise<void> {
    clearTimeout(timer);
    await worker.stop(timeoutMs);
    await store.close();
  }

  const desk = createDesk({
    ready,
    index,
    journal,
    retried: (entry) => add(entry, "retried"),
    removed(entry) {
      giveBack(entry);
      tell("removed", entry);
    },
  });
  start();

  return Object.assign(emit, desk, {
    ready,
    stats,
    close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number | undefined } = {}) {
      return (closing ??= close(positiveInteger("timeoutMs", timeoutMs)));
    },
  }) as Spool<Payload>;
}
