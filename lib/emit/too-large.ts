/**
 * The refusal of a message that is larger than its broker takes.
 *
 * @module
 */
import { WebhookError } from "../errors";

/** The error to throw. `maxBytes` is the broker's limit, where it is known. */
export function tooLarge(maxBytes: number | undefined, advice: string, cause?: unknown): WebhookError {
  const limit = maxBytes === undefined ? "" : `: ${maxBytes} bytes with what is told beside it`;
  return new WebhookError("ERR_WEBHOOK_BODY_TOO_LARGE", `The body is larger than its receiver takes${limit}.`, {
    advice,
    cause,
  });
}
