/**
 * What it comes to when secrets or keys cannot be had: an outage of ours is never told as a wrong proof.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";

/** The refusal of a delivery that cannot be judged now: 503, so that the sender tries again. */
export function unavailable(advice: string, cause: unknown): WebhookError {
  return new WebhookError("ERR_WEBHOOK_KEYS", "The delivery could not be verified now; send it again.", {
    headers: retryAfter(),
    advice,
    cause,
  });
}

/** What `work` resolves to. If it fails, the delivery is refused with `ERR_WEBHOOK_KEYS` (503). */
export async function orUnavailable<T>(advice: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw unavailable(advice, cause);
  }
}
