/**
 * Hands messages to the emitter, and awaits its confirmation for as long as the sender can wait.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";
import type { EmitContext, Emitter, Message } from "../message";
import type { Lifetime } from "../request/lifetime";
import { shown } from "../request/options";
import { isPermanent } from "./permanent-error";

type Ports = { readonly emitter: Emitter; readonly deadLetter: Emitter | undefined };

/** Resolves once all messages of a delivery are confirmed, to how many went to the dead letters. */
export async function confirmAll(messages: readonly Message[], lifetime: Lifetime, ports: Ports): Promise<number> {
  if (messages.length === 1) return Number(await confirm(messages[0] as Message, lifetime, ports));
  // Handed over in order, and awaited together: the delivery is acknowledged only when all are confirmed.
  const settled = await Promise.allSettled(messages.map((message) => confirm(message, lifetime, ports)));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return settled.filter((one) => one.status === "fulfilled" && one.value).length;
}

/** Resolves once the message is confirmed, to whether it went to the dead letters. */
async function confirm(message: Message, lifetime: Lifetime, { emitter, deadLetter }: Ports): Promise<boolean> {
  try {
    await settle("emitter", emitter, message, lifetime);
    return false;
  } catch (error) {
    if (!isPermanent(error)) throw emitFailure(error);
    if (!deadLetter) {
      throw new WebhookError("ERR_WEBHOOK_MESSAGE_REFUSED", "The delivery was understood, and will not be taken.", {
        advice: "The emitter threw a PermanentError, and the node has no deadLetter to keep the message.",
        cause: error,
      });
    }
  }
  try {
    await settle("deadLetter", deadLetter, message, lifetime);
    return true;
  } catch (error) {
    throw emitFailure(error);
  }
}

async function settle(port: string, emitter: Emitter, message: Message, lifetime: Lifetime): Promise<void> {
  const context: EmitContext = {
    get signal() {
      return lifetime.signal;
    },
  };
  const returned: unknown = emitter(message, context);
  if (typeof (returned as { then?: unknown } | null | undefined)?.then !== "function") {
    throw new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
      headers: retryAfter(),
      advice: `The ${port} returned ${shown(returned)}, and no promise, so nothing tells when the message is safe: is an "await" or "async" missing?`,
    });
  }
  await lifetime.race(returned as Promise<unknown>);
}

/** What a failure of an emitter comes to: 503, with the time to wait that it asks for. */
function emitFailure(error: unknown): unknown {
  let seconds: unknown;
  try {
    if (error instanceof WebhookError) return error;
    seconds = (error as { retryAfterSeconds?: unknown } | null | undefined)?.retryAfterSeconds;
  } catch {
    // A member that throws when it is looked at changes nothing: the emitter has failed.
  }
  return new WebhookError("ERR_WEBHOOK_EMIT", "The delivery could not be taken now; send it again.", {
    headers: retryAfter(typeof seconds === "number" && seconds > 0 ? seconds : 1),
    cause: error,
  });
}
