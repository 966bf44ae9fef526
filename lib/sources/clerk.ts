/**
 * Source: Clerk. https://clerk.com/docs/guides/development/webhooks/overview
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import { checkOptions } from "../request/options";
import { SECRET_WORDS, standardSource, type StandardSecretOptions } from "./standard-webhooks";

export type ClerkOptions = StandardSecretOptions;

/**
 * Creates the source of Clerk's webhooks, which Svix sends: id, time and body are signed. The delivery id is `svix-id`, the
 * event type the member `type`.
 *
 * Svix waits 15 seconds, sends again for about 28 hours, and disables an endpoint that fails for five days.
 * `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a secret that is missing, empty or malformed.
 */
export function clerk<Event = unknown>(options: ClerkOptions): Source<Event> {
  checkOptions("clerk", options, SECRET_WORDS);
  return standardSource<Event>("clerk", options);
}
