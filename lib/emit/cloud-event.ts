/**
 * A message as a CloudEvent (CloudEvents 1.0.2), for receivers that speak that format.
 *
 * @module
 */
import type { Message } from "../message";

/** A CloudEvent in the structured JSON format. Its media type is `application/cloudevents+json`. */
export type CloudEvent<Payload = unknown> = {
  readonly specversion: "1.0";
  /** The message's `key`: a delivery that is sent again has the same one. */
  readonly id: string;
  /** `/` and the node's name, and the source's behind it. */
  readonly source: string;
  /** The event type, or the message type where there is none. */
  readonly type: string;
  /** When the delivery was received. RFC 3339. */
  readonly time: string;
  readonly datacontenttype: string;
  readonly data: Payload;
  readonly trackingid: string;
  readonly messagetype: string;
  readonly deliveryid?: string;
  readonly sender?: string;
  readonly partitionkey?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
};

/** Makes a CloudEvent of a message. The extension attributes are those members of it that have no attribute of their own. */
export function toCloudEvent<Payload>(message: Message<Payload>): CloudEvent<Payload> {
  const { node, source, deliveryId, sender, groupId, fields } = message;
  // Neither `type` nor `partitionkey` may be empty.
  return {
    specversion: "1.0",
    id: message.key,
    source: `/${[node, source]
      .flatMap((name) => name ?? [])
      .map(encodeURIComponent)
      .join("/")}`,
    type: message.eventType || message.messageType,
    time: message.receivedAt.toISOString(),
    datacontenttype: message.mediaType ?? "application/json",
    data: message.payload,
    trackingid: message.trackingId,
    messagetype: message.messageType,
    ...(deliveryId !== undefined && { deliveryid: deliveryId }),
    ...(sender?.name !== undefined && { sender: sender.name }),
    ...(groupId && { partitionkey: groupId }),
    ...(fields["traceparent"] !== undefined && { traceparent: fields["traceparent"] }),
    ...(fields["tracestate"] !== undefined && { tracestate: fields["tracestate"] }),
  };
}
