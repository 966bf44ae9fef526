/**
 * Calls an emitter, and holds it to its promise.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";
import type { EmitContext, Emitter, Message } from "../message";
import { shown } from "../request/options";
import { isThenable } from "../request/thenable";

/** Hands a message to an emitter, and settles as it does. `port` names the emitter where it has to be mended. */
export async function invoke(port: string, emitter: Emitter, message: Message, context: EmitContext): Promise<void> {
  await promised(port, emitter(message, context));
}

/**
 * What an emitter has returned, if that is a promise.
 *
 * @throws WebhookError `ERR_WEBHOOK_EMIT` for anything else: nothing tells when the message is safe.
 */
export function promised(port: string, returned: unknown): PromiseLike<unknown> {
  if (isThenable(returned)) return returned;
  throw new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
    headers: retryAfter(),
    advice: `The ${port} returned ${shown(returned)}, and no promise, so nothing tells when the message is safe: is an "await" or "async" missing?`,
  });
}
