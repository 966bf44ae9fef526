/**
 * Makes a message of what the steps have found out. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ErrorDetail } from "../errors";
import type { Message, MessageSender } from "../message";
import type { ContentType } from "../request/content-type";
import { fieldOf } from "../request/field-lines";
import { lazyMembers } from "../request/lazy";
import { notPromised } from "../request/not-promised";
import type { SourceTraits } from "../request/source";
import { trackingId } from "./tracking-id";

export type MessageParts = {
  readonly node: string;
  readonly request: IncomingMessage;
  readonly receivedAt: Date;
  readonly contentType: ContentType | undefined;
  /** The octets of the whole delivery. */
  readonly octets: Buffer;
  readonly body: string;
  readonly payload: unknown;
  /** What this message is split from: the delivery's own tracking id, and which item of it this is. */
  readonly item?: { readonly of: string; readonly index: number } | undefined;
  readonly isUnverified: boolean;
  readonly schemaIssues?: readonly ErrorDetail[] | undefined;
  readonly sender: MessageSender | undefined;
  readonly source: SourceTraits | undefined;
  readonly messageType: string;
  /** Names of header fields to carry, in lower case. */
  readonly fields: readonly string[];
};

/** Makes a frozen message, but for `groupId`, which may be told from the message itself. */
export function makeMessage(parts: MessageParts, groupOf?: (message: Message) => string | undefined): Message {
  const { request, source, contentType, sender, octets, payload, item } = parts;
  const facts = { request, payload, octets };
  const deliveryId = notPromised("deliveryId", source?.deliveryId?.(facts));
  const eventType = notPromised("eventType", source?.eventType?.(facts));
  const id = trackingId();
  const body = item ? JSON.stringify(payload) : parts.body;

  const message: { -readonly [Member in keyof Omit<Message, "key">]: Message[Member] } = {
    trackingId: id,
    node: parts.node,
    body,
    octets: item ? Buffer.from(body) : octets,
    payload,
    messageType: parts.messageType,
    receivedAt: parts.receivedAt,
    fields: fieldsOf(request, parts.fields),
  };
  if (contentType) {
    message.mediaType = contentType.mediaType;
    message.contentType = request.headers["content-type"] as string;
  }
  if (item) message.previousTrackingIds = Object.freeze([item.of]);
  if (source) message.source = source.name;
  if (source?.provenance) message.provenance = provenanceOf(source.provenance, parts.isUnverified);
  if (parts.schemaIssues) message.schemaIssues = Object.freeze([...parts.schemaIssues]);
  if (parts.isUnverified) message.isUnverified = true;
  if (sender) message.sender = Object.freeze({ ...sender });
  if (deliveryId !== undefined) message.deliveryId = deliveryId;
  if (eventType !== undefined) message.eventType = eventType;
  const identity = [parts.node, source?.name, deliveryId ?? `tracking:${id}`, item?.index];
  // A broker must not drop what is verified for something that was let in without a proof.
  if (parts.isUnverified) identity.push("unverified");
  // After the members that are plain: behind a getter, each of them would cost more.
  const keyed = withKey(message, { identity, octets, key: undefined });
  const groupId = notPromised("groupId", groupOf?.(keyed));
  if (groupId !== undefined) keyed.groupId = groupId;
  return Object.freeze(keyed);
}

/** Of a proof that was missing or wrong, nothing is covered. */
function provenanceOf(
  provenance: NonNullable<Message["provenance"]>,
  isUnverified: boolean,
): NonNullable<Message["provenance"]> {
  if (!isUnverified) return Object.freeze({ ...provenance });
  return Object.freeze(Object.fromEntries(Object.keys(provenance).map((name) => [name, "unsigned" as const])));
}

type KeyState = {
  readonly identity: readonly (string | number | undefined)[];
  readonly octets: Buffer;
  key: string | undefined;
};

// Hashing a mebibyte takes half a millisecond, and not every emitter asks.
const withKey = lazyMembers<KeyState, Pick<Message, "key">>({
  key: (state) => (state.key ??= keyOf(state.identity, state.octets)),
});

// JSON text holds no line feed, so nothing in the identity can be taken for octets of the body.
function keyOf(identity: readonly (string | number | undefined)[], octets: Buffer): string {
  return createHash("sha256")
    .update(`${JSON.stringify(identity)}\n`)
    .update(octets)
    .digest("hex");
}

const NO_FIELDS = Object.freeze({});

function fieldsOf(request: IncomingMessage, names: readonly string[]): Readonly<Record<string, string>> {
  let fields: Record<string, string> | undefined;
  for (const name of names) {
    const value = fieldOf(request, name);
    if (value !== undefined) (fields ??= {})[name] = value;
  }
  return fields ? Object.freeze(fields) : NO_FIELDS;
}
