/**
 * The options of a quarantine, and their check.
 *
 * @module
 */
import { checkLogger, consoleLogger, type Logger } from "../../request/logger";
import { checkOptions, positiveInteger, shown, text } from "../../request/options";

export type QuarantineOptions = {
  /** Where deliveries are kept, on a disk of this machine. It is made if need be, and is this process's alone. */
  readonly folder: string;
  /**
   * The statuses of refusals that are kept.
   *
   * @defaultValue `[400, 401, 403, 415, 422]`
   */
  readonly statuses?: readonly number[] | undefined;
  /**
   * How many deliveries are kept. Beyond it the oldest goes, of the node and status that has most.
   *
   * @defaultValue `1_000`
   */
  readonly maxItems?: number | undefined;
  /**
   * How many bytes they may have together.
   *
   * @defaultValue `67_108_864` (64 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Header fields that hold credentials besides those that are known by their names: `Authorization`, `Cookie`, and what is
   * called a token, secret, password or API key.
   *
   * @defaultValue `[]`
   */
  readonly credentialFields?: readonly string[] | undefined;
  /** @defaultValue `console`, for warnings and errors */
  readonly logger?: Logger | undefined;
};

/** Options that are checked and whole. */
export type QuarantineSettings = {
  readonly folder: string;
  readonly statuses: ReadonlySet<number>;
  readonly maxItems: number;
  readonly maxBytes: number;
  /** In lower case. */
  readonly credentialFields: ReadonlySet<string>;
  readonly logger: Logger;
};

const WORDS = ["credentialFields", "folder", "logger", "maxBytes", "maxItems", "statuses"];
const STATUSES = [400, 401, 403, 415, 422];

/** @throws TypeError at start, for a wrong option. */
export function quarantineSettings(options: QuarantineOptions): QuarantineSettings {
  checkOptions("quarantine", options, WORDS);
  const names = listOf("credentialFields", options.credentialFields ?? []);
  return {
    folder: text("folder", options.folder),
    statuses: new Set(listOf("statuses", options.statuses ?? STATUSES).map(errorStatus)),
    maxItems: positiveInteger("maxItems", options.maxItems ?? 1_000),
    maxBytes: positiveInteger("maxBytes", options.maxBytes ?? 67_108_864),
    credentialFields: new Set(names.map((name) => text("credentialFields", name).toLowerCase())),
    logger: checkLogger(options.logger ?? consoleLogger),
  };
}

function listOf<Item>(word: string, value: readonly Item[]): readonly Item[] {
  if (!Array.isArray(value)) throw new TypeError(`${word}: ${shown(value)} is not a list.`);
  return value as readonly Item[];
}

function errorStatus(status: number): number {
  if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  throw new TypeError(`statuses: ${shown(status)} is not a status of 400 to 599.`);
}
