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

/** Makes a function that explains refused proofs in the log. @throws TypeError at start, for a wrong option. */
export function diagnoser(
  diagnose: boolean | DiagnoseOptions | undefined,
): ((error: unknown, record: DeliveryRecord) => void) | undefined {
  if (diagnose === undefined || diagnose === false) return undefined;
  const { otherSecrets = {} } = diagnose === true ? {} : checked(diagnose);
  let isBusyUntil = 0;

  return function diagnoseLater(error, { surroundings: { name, logger } }) {
    const { explain } = (error ?? {}) as { explain?: unknown };
    if (typeof explain !== "function" || performance.now() < isBusyUntil) return;
    isBusyUntil = performance.now() + PAUSE_MS;
    const tell = async (): Promise<void> => {
      try {
        const why = await (explain as Explain)(otherSecrets);
        logger.warn(printable(`webhook ${name}: why the signature did not match: ${why}`));
      } catch (failure) {
        logError(logger, `webhook ${name}: diagnose has failed`, failure);
      }
    };
    setImmediate(() => void tell());
  };
}

function checked(diagnose: DiagnoseOptions): DiagnoseOptions {
  checkOptions("diagnose", diagnose, ["otherSecrets"]);
  for (const [label, secret] of Object.entries(diagnose.otherSecrets ?? {})) {
    if (typeof secret === "string" && secret !== "") continue;
    throw new TypeError(`diagnose: the other secret ${shown(label)} is missing or empty.`);
  }
  return diagnose;
}
