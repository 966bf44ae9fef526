/**
 * What is told of a message beside its octets, in the names of CloudEvents 1.0.2: emitters write it into headers.
 *
 * @module
 */
import type { Message } from "../message";

/** Strings of CloudEvents hold no control characters, lone surrogates or noncharacters (section "Type System"). */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** What most are: told faster. */
const PLAIN = /^[ -~]*$/;
/** The sender's own words must not fill a header, which brokers bound: AMQP to a frame, SQS to the message. */
const MAX_LENGTH = 1024;

/** Attributes of a CloudEvent, all as text. `datacontenttype` is left to where a binding puts it. */
export type Attributes = {
  readonly specversion: "1.0";
  /** The message's `key`: a delivery that is sent again has the same one. */
  readonly id: string;
  /** `/` and the node's name, and the source's behind it. */
  readonly source: string;
  /** The event type, or the message type where there is none. */
  readonly type: string;
  /** When the delivery was received. RFC 3339. */
  readonly time: string;
  readonly trackingid: string;
  readonly messagetype: string;
  readonly deliveryid?: string;
  readonly sender?: string;
  readonly partitionkey?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
};

/**
 * The attributes of a message. A value that a sender wrote is left out where it is longer than 1,024 characters, or holds a
 * character that CloudEvents forbids, so it can break no header; `messageType` stands for such an event type.
 */
export function attributesOf(message: Message): Attributes {
  const { deliveryId, eventType, sender, groupId, fields } = message;
  const attributes: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {
    specversion: "1.0",
    id: message.key,
    source: sourceOf(message),
    // Neither `type` nor `partitionkey` may be empty.
    type: sound(eventType) || message.messageType,
    time: message.receivedAt.toISOString(),
    trackingid: message.trackingId,
    messagetype: message.messageType,
  };
  // One object, and no parts of it: all emitters do this for each message.
  set(attributes, "deliveryid", sound(deliveryId));
  set(attributes, "sender", sound(sender?.name));
  set(attributes, "partitionkey", sound(groupId) || undefined);
  set(attributes, "traceparent", sound(fields["traceparent"]));
  set(attributes, "tracestate", sound(fields["tracestate"]));
  return attributes;
}

function sourceOf({ node, source }: Message): string {
  return source === undefined
    ? `/${encodeURIComponent(node)}`
    : `/${encodeURIComponent(node)}/${encodeURIComponent(source)}`;
}

function sound(value: string | undefined): string | undefined {
  if (value === undefined || value.length > MAX_LENGTH) return undefined;
  return PLAIN.test(value) || !FORBIDDEN.test(value) ? value : undefined;
}

function set<Name extends keyof Attributes>(
  attributes: { -readonly [Of in keyof Attributes]: Attributes[Of] },
  name: Name,
  value: Attributes[Name],
): void {
  if (value !== undefined) attributes[name] = value;
}
