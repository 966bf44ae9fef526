/**
 * Source: Polar. https://polar.sh/docs/integrate/webhooks/delivery
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { SECRET_WORDS, standardKey, standardSource, type StandardSecretOptions } from "./standard-webhooks";

export type PolarOptions = Omit<StandardSecretOptions, "secrets"> & {
  /** The endpoint's secrets, as they are: `polar_whs_` or `whsec_` and what follows. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Polar's webhooks: id, time and body are signed. The delivery id is `webhook-id`, the event type the
 * member `type`.
 *
 * Polar waits 10 seconds, and sends again up to ten times. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function polar<Event = unknown>(options: PolarOptions): Source<Event> {
  checkOptions("polar", options, SECRET_WORDS);
  return standardSource<Event>(
    "polar",
    { ...options, secrets: bothKeys(options.secrets) },
    { accepts: { deadlineMs: 9_000 } },
    (key) => key,
  );
}

/**
 * The keys of secrets. Of a secret made before September 2026 the key is its own text, even where that begins with
 * `whsec_`; of a later one it is what Standard Webhooks make of it. The secret itself does not tell.
 */
function bothKeys(secrets: Secrets): Secrets {
  const secretsOf = secretKeys(secrets);
  if (typeof secrets === "function") return async (request) => (await secretsOf(request)).flatMap(keysOf);
  return (secrets as readonly (string | Buffer)[]).flatMap(keysOf);
}

function keysOf(secret: string | Buffer): readonly (string | Buffer)[] {
  if (typeof secret !== "string" || !secret.startsWith("whsec_")) return [secret];
  try {
    return [standardKey(secret), secret];
  } catch {
    return [secret];
  }
}
