/**
 * Hands the messages of a spool on, several at once, until each is delivered or dead.
 *
 * @module
 */
import { setMaxListeners } from "node:events";
import { logError } from "../../request/logger";
import { printable } from "../../request/outcome";
import type { Message } from "../../message";
import { backoff } from "./backoff";
import { isPermanent } from "../permanent-error";
import { attempt, errorText, type Attempt } from "./attempt";
import type { SpoolJournal } from "./journal";
import type { SpoolSettings } from "./options";
import type { Schedule, SpoolEntry } from "./schedule";

export type WorkerParts = {
  readonly settings: SpoolSettings;
  readonly journal: SpoolJournal;
  readonly schedule: Schedule;
  /** Told of what has become of a message. After `delivered` and `removed` the folder holds it no longer. */
  readonly settled: (entry: SpoolEntry, kind: "delivered" | "removed" | "dead") => void;
  readonly failed: (entry: SpoolEntry, kind: "failed" | "busy") => void;
};

export type SpoolWorker = {
  /** Starts what is due, as far as there are hands. */
  readonly pump: () => void;
  readonly underWay: () => number;
  /** Starts nothing more. Resolves once what is under way has ended, or was ended after so many milliseconds. */
  readonly stop: (timeoutMs: number) => Promise<void>;
};

/** The wait after a failure of the disk. */
const DISK_MS = 1_000;
/** The longest pause for an emitter that is busy, unless it asks for more itself. */
const MAX_PAUSE_MS = 30_000;
const LONGEST_TIMER_MS = 2_147_483_647;

/** Creates the worker. It rests until it is first pumped. */
export function createWorker({ settings, journal, schedule, settled, failed }: WorkerParts): SpoolWorker {
  const { folder, emitter, deadLetter, concurrency, maxAttempts, attemptTimeoutMs, logger } = settings;
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  // Each attempt under way listens, and Node warns of more than ten.
  setMaxListeners(0, stopping.signal);
  const limits = { timeoutMs: attemptTimeoutMs, signal: stopping.signal };
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let pausedUntil = 0;
  let busyInARow = 0;
  let isFailing = false;

  function pump(): void {
    clearTimeout(timer);
    if (isStopped) return;
    const now = performance.now();
    const hands = now < pausedUntil ? 0 : concurrency - running.size;
    for (let hand = 0; hand < hands; hand++) {
      const entry = schedule.take(now);
      if (!entry) break;
      const one = run(entry).finally(() => {
        running.delete(one);
        pump();
      });
      running.add(one);
    }
    const dueAt = schedule.dueAt();
    // Whoever ends will pump.
    if (dueAt === undefined || running.size >= concurrency) return;
    const waitMs = Math.max(dueAt, pausedUntil) - now;
    // What is on disk needs no process to stay alive for it.
    timer = setTimeout(pump, Math.min(Math.max(1, Math.ceil(waitMs)), LONGEST_TIMER_MS)).unref();
  }

  async function run(entry: SpoolEntry): Promise<void> {
    try {
      const message = await journal.read(entry.id);
      if (!message) {
        logger.error(`${line(entry)} is not on disk any more`);
        return await remove(entry, "removed");
      }
      if (isStopped) return;
      await conclude(entry, message, await attempt(emitter, message, limits));
    } catch (error) {
      if (isPermanent(error)) await bury(entry, error, undefined).catch(() => later(entry));
      // The store says by itself what is wrong with it.
      else later(entry);
    }
  }

  async function conclude(entry: SpoolEntry, message: Message, result: Attempt): Promise<void> {
    if (result.kind === "delivered") {
      busyInARow = 0;
      if (isFailing) logger.info(`spool ${folder}: messages are delivered again`);
      isFailing = false;
      return remove(entry, "delivered");
    }
    // It was ended, and has not failed: it stays as it is, for the next start.
    if (stopping.signal.aborted) return;
    const { kind, error } = result;
    if (kind !== "busy") entry.attempts++;
    if (kind === "refused" || entry.attempts >= maxAttempts) return bury(entry, error, message);
    entry.error = errorText(error);

    if (!isFailing) logger.warn(`${line(entry)} was not taken, and will be tried again: ${printable(entry.error)}`);
    isFailing = true;
    const waitMs = Math.max(result.waitMs, kind === "busy" ? pauseMs() : backoff(entry.attempts, settings));
    entry.dueAt = performance.now() + waitMs;
    if (kind === "busy") pausedUntil = Math.max(pausedUntil, entry.dueAt);
    failed(entry, kind);
    // The count alone is lost if this fails.
    await journal.note(entry.id, stateOf(entry, waitMs)).catch(() => {});
    schedule.putBack(entry);
  }

  function pauseMs(): number {
    const { minDelayMs, maxDelayMs } = settings;
    return backoff(++busyInARow, { minDelayMs, maxDelayMs: Math.min(maxDelayMs, MAX_PAUSE_MS) });
  }

  async function bury(entry: SpoolEntry, error: unknown, message: Message | undefined): Promise<void> {
    entry.error = errorText(error);
    const said = `${line(entry)} is dead, failed attempts ${entry.attempts}: ${printable(entry.error)}`;
    logError(logger, said, error);
    if (deadLetter && message) {
      const result = await attempt(deadLetter, message, limits);
      if (result.kind === "delivered") return remove(entry, "removed");
      if (stopping.signal.aborted) return;
      logError(logger, `${line(entry)} stays in the folder: the deadLetter has failed`, result.error);
    }
    await journal.note(entry.id, { attempts: entry.attempts, error: entry.error, isDead: true });
    settled(entry, "dead");
    schedule.done(entry);
  }

  async function remove(entry: SpoolEntry, kind: "delivered" | "removed"): Promise<void> {
    // Before the next of its group, so that a crash repeats the last one alone. A disk that fails repeats it by itself.
    await journal.remove(entry.id).catch(() => {});
    settled(entry, kind);
    schedule.done(entry);
  }

  function later(entry: SpoolEntry): void {
    entry.dueAt = performance.now() + DISK_MS;
    schedule.putBack(entry);
  }

  function line({ id }: SpoolEntry): string {
    return `spool ${folder}: message ${id}`;
  }

  return {
    pump,
    underWay: () => running.size,
    async stop(timeoutMs) {
      isStopped = true;
      clearTimeout(timer);
      const late = setTimeout(() => stopping.abort(new Error("The spool is being closed.")), timeoutMs);
      await Promise.all(running);
      clearTimeout(late);
    },
  };
}

function stateOf(
  { attempts, error = "" }: SpoolEntry,
  waitMs: number,
): { attempts: number; error: string; nextAttemptAt: number } {
  return { attempts, error, nextAttemptAt: Math.round(Date.now() + waitMs) };
}
