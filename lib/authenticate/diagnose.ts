/**
 * Tells whoever runs the node why a signature did not match, once the sender has its 401 and the request is over.
 *
 * @module
 */
import type { DeliveryRecord } from "../request/delivery";
import { logError } from "../request/logger";
import { checkOptions, shown } from "../request/options";
import { printable } from "../request/outcome";

export type DiagnoseOptions = {
  /** Secrets that should not have signed, by what they are (`{ "test mode": "whsec_..." }`), to be told if one of them did. */
  readonly otherSecrets?: Readonly<Record<string, string>> | undefined;
};

/** Finds out what fits a signature that did not match. An error of a ready-made authenticator carries one. */
export type Explain = (otherSecrets: Readonly<Record<string, string>>) => string | Promise<string>;

/** A flood of forgeries is explained once in a while. */
const PAUSE_MS = 1000;

/**
 * Makes a function that explains refused proofs in the log, or advises to turn that on.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function diagnoser(
  diagnose: boolean | DiagnoseOptions = false,
): (error: unknown, record: DeliveryRecord) => void {
  const { otherSecrets = {} } = typeof diagnose === "boolean" ? {} : checked(diagnose);
  let isBusyUntil = 0;

  return function diagnoseLater(error, record) {
    const { explain } = (error ?? {}) as { explain?: unknown };
    if (typeof explain !== "function") return;
    if (diagnose === false) {
      advise(error as Advised, "diagnose: true finds out.");
      return;
    }
    if (performance.now() < isBusyUntil) return;
    isBusyUntil = performance.now() + PAUSE_MS;
    advise(error as Advised, "The next line tells.");
    const { name, logger } = record.surroundings;
    const tell = async (): Promise<void> => {
      try {
        const why = await (explain as Explain)(otherSecrets);
        const id = record.outcome?.deliveryId;
        const which = id === undefined ? "" : ` delivery ${id}:`;
        logger.warn(printable(`webhook ${name}:${which} why the signature did not match: ${why}`));
      } catch (failure) {
        logError(logger, `webhook ${name}: diagnose has failed`, failure);
      }
    };
    setImmediate(() => void tell());
  };
}

type Advised = { advice?: string | undefined };

function advise(error: Advised, more: string): void {
  error.advice = [error.advice, more].filter(Boolean).join(" ");
}

function checked(diagnose: DiagnoseOptions): DiagnoseOptions {
  checkOptions("diagnose", diagnose, ["otherSecrets"]);
  for (const [label, secret] of Object.entries(diagnose.otherSecrets ?? {})) {
    if (typeof secret === "string" && secret !== "") continue;
    throw new TypeError(`diagnose: the other secret ${shown(label)} is missing or empty.`);
  }
  return diagnose;
}
