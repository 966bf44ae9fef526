/**
 * The message that a delivery becomes, and the promise that an emitter gives for it. Types alone.
 *
 * @module
 */

import type { ErrorDetail } from "./errors";

/** Who sent a message, as the authenticator said. */
export type MessageSender = {
  /** The user's `displayName`. Absent where it has none. */
  readonly name?: string;
  /** The scopes of the sender's credentials. */
  readonly scopes: readonly string[];
};

/** Where an id or a type was read: `signed` if the sender's signature covers it, so that a replay cannot alter it. */
export type Provenance = "signed" | "unsigned";

/**
 * One webhook, accepted and authenticated. It is frozen, but for the value of `payload`. Members that a delivery
 * does not have are absent.
 */
export type Message<Payload = unknown> = {
  /** 32 hex digits, new for each message. The sender reads it in the answer. */
  readonly trackingId: string;
  /** The tracking ids of what this message was split from. */
  readonly previousTrackingIds?: readonly string[];
  /**
   * Set if the sender's proof was missing or wrong, and the node only reports that. Do not act on such a message.
   */
  readonly isUnverified?: true;
  /**
   * What makes two deliveries the same: 64 hex digits, a SHA-256 of node, source, delivery id, item index and octets.
   *
   * It is what a broker's own deduplication is to be given. A delivery without an id is the same as no other, so its
   * key is its own: nothing good is ever lost to a chance likeness. Computed when it is first read.
   */
  readonly key: string;
  /** The name of the node that received it. */
  readonly node: string;
  /** The payload as text, decoded from the octets by their charset, without a byte order mark; of an item, its JSON. */
  readonly body: string;
  /**
   * The payload in octets as received, content codings undone: what a signature covers. Of a message that was split from
   * others it is the text of `body`, in UTF-8.
   */
  readonly octets: Buffer;
  /** The value parsed from the body. */
  readonly payload: Payload;
  /** The name of the message's type, such as `echo.json`. */
  readonly messageType: string;
  /**
   * Where the payload is not as its type's schema has it. Absent where it is, and where the type has no schema; there only
   * if the node emits what is invalid.
   */
  readonly schemaIssues?: readonly ErrorDetail[];
  /** Messages with the same one keep their order, where the broker keeps any. */
  readonly groupId?: string;
  /** When the request's header section had arrived. */
  readonly receivedAt: Date;
  /** The media type without parameters, in lower case: `application/json`. */
  readonly mediaType?: string;
  /** The whole `Content-Type` field as the sender wrote it. */
  readonly contentType?: string;
  /** The name of the source (the provider), where the node has one. */
  readonly source?: string;
  /** Who sent it. Absent where anonymous senders are accepted. */
  readonly sender?: MessageSender;
  /** The provider's id of this delivery. */
  readonly deliveryId?: string;
  /** The provider's word for what happened. */
  readonly eventType?: string;
  /** Whether the delivery id and the event type were covered by the signature. */
  readonly provenance?: { readonly deliveryId?: Provenance; readonly eventType?: Provenance };
  /** The header fields asked for, by lower-case name; trace context (`traceparent`, `tracestate`) is among them. */
  readonly fields: Readonly<Record<string, string>>;
};

/** What an emitter is given besides the message. */
export type EmitContext = {
  /**
   * Fires when the sender's answer can wait no longer: a confirmation that comes later changes nothing. It is made when it
   * is read, so a copy of the context by spread has none.
   */
  readonly signal: AbortSignal;
  /** What the emitter has thrown, where this one is the node's `deadLetter`. */
  readonly error?: unknown;
};

/**
 * Sends a message on. The promise settles when the receiver has it for good, and rejects otherwise: the delivery is
 * acknowledged if, and only if, it resolves.
 */
export type Emitter<Payload = unknown> = (message: Message<Payload>, context: EmitContext) => Promise<unknown>;
