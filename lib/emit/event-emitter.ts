/**
 * Emitter: Node's own `EventEmitter`, in process, with every listener awaited.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import { text } from "../request/options";
import type { EmitContext, Emitter, Message } from "../message";

/** The one method called on the event emitter. */
export type ListenerSource = Pick<EventEmitter, "rawListeners">;

/**
 * Creates an emitter that calls each listener of an event with `(message, { signal })`, in the order they were added, and
 * settles once all of them have. One that throws or rejects fails the delivery, as does the lack of any listener: nobody has
 * the message then.
 *
 * Promise: at least once, as long as the process lives; what a listener has not finished when it ends is lost only if the
 * sender had its answer, so let listeners return their promise.
 */
export function fromEventEmitter<Payload = unknown>(
  emitter: ListenerSource,
  eventName: string | symbol,
): Emitter<Payload> {
  if (typeof (emitter as Partial<ListenerSource> | null)?.rawListeners !== "function") {
    throw new TypeError("fromEventEmitter: the first argument is no EventEmitter.");
  }
  const event = typeof eventName === "symbol" ? eventName : text("eventName", eventName);

  return async function eventEmitter(message: Message<Payload>, context: EmitContext): Promise<void> {
    const listeners = emitter.rawListeners(event);
    if (listeners.length === 0) throw new Error(`No listener for ${String(event)}: nobody would have the message.`);
    const settled = await Promise.allSettled(
      // Raw listeners of `once` take themselves off the list when called.
      listeners.map(async (listener) => Reflect.apply(listener, emitter, [message, context]) as unknown),
    );
    const failed = settled.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  };
}
