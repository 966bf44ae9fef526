/**
 * Source: Replicate. https://replicate.com/docs/topics/webhooks/verify-webhook
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import { checkOptions } from "../request/options";
import { memberReader } from "./facts";
import { SECRET_WORDS, standardSource, type StandardSecretOptions } from "./standard-webhooks";

export type ReplicateOptions = StandardSecretOptions;

/**
 * Creates the source of Replicate's webhooks: id, time and body are signed. The delivery id is `webhook-id`. A payload is a
 * prediction or a training and names no event, so the event type is its `status`: `succeeded`.
 *
 * Replicate waits a few seconds, and sends again only what is final, for about a minute. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a secret that is missing, empty or malformed.
 */
export function replicate<Event = unknown>(options: ReplicateOptions): Source<Event> {
  checkOptions("replicate", options, SECRET_WORDS);
  return standardSource<Event>("replicate", options, {
    accepts: { deadlineMs: 4_000 },
    eventType: memberReader("status"),
  });
}
