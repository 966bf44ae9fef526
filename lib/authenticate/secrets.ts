/**
 * Secrets shared with senders: in a list, or found for each request.
 *
 * @module
 */
import type { WebhookRequest } from "./authenticator";
import { orUnavailable } from "./unavailable";

/** Secrets in a list, so that one can be replaced while the sender still uses the other; or a function that finds them. */
export type Secrets =
  | readonly (string | Buffer | undefined)[]
  | ((request: WebhookRequest) => readonly (string | Buffer)[] | Promise<readonly (string | Buffer)[]>);

type KeysOf = (request: WebhookRequest) => readonly (string | Buffer)[] | Promise<readonly (string | Buffer)[]>;

/** Checks secrets at start, or those that a function finds at each call. `word` is the option that they come from. */
export function secretKeys(secrets: Secrets, word = "secrets"): KeysOf {
  if (typeof secrets === "function") {
    return async function findSecrets(request) {
      const found = await orUnavailable(`The function in ${word} has failed.`, () => secrets(request));
      return Array.isArray(found) && found.length === 0 ? found : checkSecrets(found, word);
    };
  }
  const keys = checkSecrets(secrets, word);
  return () => keys;
}

function checkSecrets(secrets: readonly (string | Buffer | undefined)[], word: string): readonly (string | Buffer)[] {
  if (!Array.isArray(secrets))
    throw new TypeError(`${word}: it must be a list, such as [process.env.WEBHOOK_SECRET], or a function.`);
  if (secrets.length === 0) throw new TypeError(`${word}: the list is empty, so nobody could be authenticated.`);
  return secrets.map((secret: unknown, index) => {
    const isText = typeof secret === "string" || Buffer.isBuffer(secret);
    if (isText && secret.length > 0) return secret;
    throw new TypeError(
      `${word}: number ${index + 1} is ${isText ? "empty" : "missing"}; is its environment variable set?`,
    );
  });
}
