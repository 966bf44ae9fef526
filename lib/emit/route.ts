/**
 * Emitter: a receiver for each message, told by the message.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { notPromised } from "../request/not-promised";
import { checkFunction } from "../request/options";
import { invoke } from "./invoke";

/**
 * Creates an emitter that asks `choose` for the emitter of each message: by its event type, its node, its size. For none
 * (`undefined`) the delivery is 503, so that a message which was thought of by nobody is not lost: name a last resort.
 *
 * @throws TypeError at start, for anything but a function.
 *
 * @example
 * ```ts
 * route(({ eventType }) => (eventType?.startsWith("invoice.") ? invoices : others));
 * ```
 */
export function route<Payload = unknown>(
  choose: (message: Message<Payload>) => Emitter<Payload> | undefined,
): Emitter<Payload> {
  checkFunction("route", choose);

  return async function route(message, context) {
    const emitter = notPromised("route", choose(message));
    if (typeof emitter !== "function") {
      throw new Error(`route: there is no emitter for the event type ${JSON.stringify(message.eventType)}.`);
    }
    await invoke("emitter of route", emitter as Emitter, message, context);
  };
}
