/**
 * Source: OpenAI. https://platform.openai.com/docs/guides/webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import { checkOptions } from "../request/options";
import { SECRET_WORDS, standardSource, type StandardSecretOptions } from "./standard-webhooks";

export type OpenaiOptions = StandardSecretOptions;

/**
 * Creates the source of OpenAI's webhooks: id, time and body are signed. The delivery id is `webhook-id`, the event type the
 * member `type`.
 *
 * OpenAI waits a few seconds, and sends again for 72 hours. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a secret that is missing, empty or malformed.
 */
export function openai<Event = unknown>(options: OpenaiOptions): Source<Event> {
  checkOptions("openai", options, SECRET_WORDS);
  return standardSource<Event>("openai", options, { accepts: { deadlineMs: 4_000 } });
}
