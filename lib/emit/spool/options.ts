/**
 * The options of a spool, and their check.
 *
 * @module
 */
import type { Emitter } from "../../message";
import { checkLogger, consoleLogger, type Logger } from "../../request/logger";
import { checkFunction, checkOptions, positiveInteger, text } from "../../request/options";

export type SpoolOptions<Payload = unknown> = {
  /** Where messages are kept, on a disk of this machine. It is made if need be, and is this process's alone. */
  readonly folder: string;
  /**
   * Takes each message in the background: a broker's emitter, or a handler of your own. It may see a message again after a
   * crash: at least once. Its `signal` fires when an attempt takes too long.
   */
  readonly emitter: Emitter<Payload>;
  /** Takes messages that are dead. One that it confirms is removed from the folder. */
  readonly deadLetter?: Emitter<Payload> | undefined;
  /**
   * How many messages may be handed on at once. Of a group it is one, always.
   *
   * @defaultValue `4`
   */
  readonly concurrency?: number | undefined;
  /**
   * After how many failures a message is dead. With the default delays, 25 take about three hours. A `BusyError` is none of
   * them, and a `PermanentError` is the last.
   *
   * @defaultValue `25`
   */
  readonly maxAttempts?: number | undefined;
  /**
   * The wait after the first failure, in milliseconds. Each further one doubles it; a part of it is chance.
   *
   * @defaultValue `1_000`
   */
  readonly minDelayMs?: number | undefined;
  /**
   * The longest wait between two attempts, in milliseconds.
   *
   * @defaultValue `900_000` (15 minutes)
   */
  readonly maxDelayMs?: number | undefined;
  /**
   * How long one attempt may take, in milliseconds. Then it has failed.
   *
   * @defaultValue `30_000`
   */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * How many messages the folder may hold, dead ones too. More are refused with a `BusyError` (503).
   *
   * @defaultValue `100_000`
   */
  readonly maxMessages?: number | undefined;
  /**
   * How many bytes they may have together.
   *
   * @defaultValue `1_073_741_824` (1 GiB)
   */
  readonly maxBytes?: number | undefined;
  /** @defaultValue `console`, for warnings and errors */
  readonly logger?: Logger | undefined;
};

/** Options that are checked and whole. */
export type SpoolSettings = Required<{ [Name in keyof SpoolOptions]: NonNullable<SpoolOptions[Name]> }> & {
  readonly deadLetter: Emitter | undefined;
};

const WORDS = [
  "attemptTimeoutMs",
  "concurrency",
  "deadLetter",
  "emitter",
  "folder",
  "logger",
  "maxAttempts",
  "maxBytes",
  "maxDelayMs",
  "maxMessages",
  "minDelayMs",
];

/** @throws TypeError at start, for a wrong option. */
export function spoolSettings(options: SpoolOptions): SpoolSettings {
  checkOptions("spool", options, WORDS);
  const number = (word: keyof SpoolOptions, byDefault: number): number =>
    positiveInteger(word, (options[word] as number | undefined) ?? byDefault);
  const { deadLetter } = options;
  const settings = {
    folder: text("folder", options.folder),
    emitter: checkFunction("emitter", options.emitter),
    deadLetter: deadLetter === undefined ? undefined : checkFunction("deadLetter", deadLetter),
    concurrency: number("concurrency", 4),
    maxAttempts: number("maxAttempts", 25),
    minDelayMs: number("minDelayMs", 1_000),
    maxDelayMs: number("maxDelayMs", 900_000),
    attemptTimeoutMs: number("attemptTimeoutMs", 30_000),
    maxMessages: number("maxMessages", 100_000),
    maxBytes: number("maxBytes", 1_073_741_824),
    logger: checkLogger(options.logger ?? consoleLogger),
  } as SpoolSettings;
  if (settings.minDelayMs > settings.maxDelayMs) {
    throw new TypeError(`minDelayMs: ${settings.minDelayMs} is more than maxDelayMs (${settings.maxDelayMs}).`);
  }
  return settings;
}
