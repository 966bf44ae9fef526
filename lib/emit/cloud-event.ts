/**
 * A message as a CloudEvent (CloudEvents 1.0.2), for receivers that speak that format.
 *
 * @module
 */
import type { Message } from "../message";
import { attributesOf, type Attributes } from "./attributes";

export type { Attributes } from "./attributes";

/** A CloudEvent in the structured JSON format. Its media type is `application/cloudevents+json`. */
export type CloudEvent<Payload = unknown> = Attributes & {
  readonly datacontenttype: string;
  readonly data: Payload;
};

/**
 * Makes a CloudEvent of a message. The extension attributes are those members of it that have no attribute of their own. What
 * is left out of the sender's words is told at `attributesOf`.
 */
export function toCloudEvent<Payload>(message: Message<Payload>): CloudEvent<Payload> {
  return {
    ...attributesOf(message),
    datacontenttype: message.mediaType ?? "application/json",
    data: message.payload,
  };
}
