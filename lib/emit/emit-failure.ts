/**
 * What a failure of an emitter, or of a store that it needs, comes to.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";

/** The refusal of a delivery whose message could not be kept: 503, with the time to wait that the failure asks for. */
export function emitFailure(error: unknown, advice?: string): unknown {
  let seconds: unknown;
  try {
    if (error instanceof WebhookError) return error;
    seconds = (error as { retryAfterSeconds?: unknown } | null | undefined)?.retryAfterSeconds;
  } catch {
    // A member that throws when it is looked at changes nothing: the emitter has failed.
  }
  return new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
    headers: retryAfter(typeof seconds === "number" && seconds > 0 ? seconds : 1),
    advice,
    cause: error,
  });
}
