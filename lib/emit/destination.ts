/**
 * Where an emitter sends a message: one name for all, or a function of the message.
 *
 * @module
 */
import type { Message } from "../message";
import { shown } from "../request/options";

/** A name such as a subject or a topic, or a function that tells it of each message. */
export type Destination = string | ((message: Message) => string);

/**
 * The function that tells the destination of a message. What a function makes of a sender's words is held against the
 * grammar each time: a sender must not choose what it was not asked.
 *
 * @throws TypeError at start, for a text that is no such name; for a function's the delivery fails, as it may be mended.
 */
export function destinationOf(
  word: string,
  destination: Destination,
  grammar: RegExp,
  advice: string,
): (message: Message) => string {
  if (typeof destination === "function") {
    return (message) => {
      const name: unknown = destination(message);
      if (typeof name === "string" && grammar.test(name)) return name;
      throw new Error(`${word}: the function returned ${shown(name)} for a message. ${advice}`);
    };
  }
  if (typeof destination !== "string" || !grammar.test(destination)) {
    throw new TypeError(`${word}: ${shown(destination)} is neither a name nor a function of the message. ${advice}`);
  }
  return () => destination;
}
