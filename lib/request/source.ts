/**
 * What a source tells the steps about its provider, besides how to authenticate it. Types alone.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Provenance } from "../message";

/** What ids, types and replies are read from, once the delivery is authenticated and parsed. */
export type DeliveryFacts<Event = unknown> = {
  readonly request: IncomingMessage;
  /** The parsed value: one item of it where the source splits deliveries. */
  readonly payload: Event;
  /** The octets of the whole delivery, with content codings undone. */
  readonly octets: Buffer;
};

/** A request as it is before the gates: what a handshake by GET or OPTIONS is read from. */
export type HandshakeFacts = {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
};

/** An answer as a provider wants it: a value as JSON, or text, or no content. */
export type SourceAnswer = {
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A value sent as JSON. */
  readonly body?: unknown;
  /** Text sent as `text/plain` that no browser takes for anything else. It is cut to 4,096 characters. */
  readonly text?: string | undefined;
};

/** What a node lets in for a source, unless its own options say otherwise. */
export type SourceAccepts = {
  /** Media types besides JSON's. */
  readonly mediaTypes?: readonly string[] | undefined;
  /** Media types that an option of the source would let in: the option, by the media type. */
  readonly optional?: Readonly<Record<string, string>> | undefined;
  /** The largest body that the provider sends, in bytes, codings undone. */
  readonly maxBytes?: number | undefined;
  /** Less than the time after which the provider gives up, in milliseconds. */
  readonly deadlineMs?: number | undefined;
};

/** Reads something of a delivery. */
type Reader<Event, Result> = {
  // As a method, so that a node takes a source of any event: nobody but the source knows what its functions are given.
  read(facts: DeliveryFacts<Event>): Result;
}["read"];

/** A provider's traits. Everything but the name is optional: what is absent is as in a node without a source. */
export type SourceTraits<Event = unknown> = {
  /** The provider, in lower case: `github`. */
  readonly name: string;
  readonly accepts?: SourceAccepts | undefined;
  /** Answers a handshake that comes before the gates, by GET, OPTIONS or without a body. `undefined` for any other request. */
  readonly handshake?: ((facts: HandshakeFacts) => SourceAnswer | undefined) | undefined;
  /** Reads the payload of a body whose media type is not JSON's, such as a form. */
  readonly payloadOf?: ((body: { readonly text: string; readonly mediaType: string }) => unknown) | undefined;
  /** Answers what is authenticated and not to be emitted, such as a handshake or a ping. `undefined` for all that is. */
  readonly reply?: Reader<Event, SourceAnswer | undefined> | undefined;
  /** The items of a delivery that holds several; each becomes a message. `undefined` for one that is whole. */
  readonly split?:
    ((payload: unknown, facts: Omit<DeliveryFacts, "payload">) => readonly Event[] | undefined) | undefined;
  /** Whether an item of a delivery that the node splits is to be emitted: what `only` and `ignore` say of its event type. */
  readonly wants?: Reader<Event, boolean> | undefined;
  /** The provider's id of a delivery, or of an item of it: the same when it is sent again. */
  readonly deliveryId?: Reader<Event, string | undefined> | undefined;
  /** The provider's word for what happened. */
  readonly eventType?: Reader<Event, string | undefined> | undefined;
  /** Whether the signature covers the two. */
  readonly provenance?: { readonly deliveryId?: Provenance; readonly eventType?: Provenance } | undefined;
  /** The answer to a delivery whose message is confirmed. A status of 200 to 299. */
  readonly success?: SourceAnswer | undefined;
  /** The answer to a missing or a wrong proof (401), where the provider wants another than a problem document. */
  readonly refusal?: SourceAnswer | undefined;
};
