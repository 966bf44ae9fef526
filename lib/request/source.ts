/**
 * What a source tells the steps about its provider, besides how to authenticate it. Types alone.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Provenance } from "../message";

/** What ids and types are read from, once the delivery is authenticated and parsed. */
export type DeliveryFacts<Event = unknown> = {
  readonly request: IncomingMessage;
  readonly payload: Event;
  /** The octets with content codings undone. */
  readonly octets: Buffer;
};

/** An answer as a provider wants it. */
export type SourceAnswer = {
  readonly status?: number | undefined;
  /** A value sent as JSON, or `null` for no content. */
  readonly body?: unknown;
};

/** A provider's traits. Everything but the name is optional: what is absent is as in a node without a source. */
export type SourceTraits<Event = unknown> = {
  /** The provider, in lower case: `github`. */
  readonly name: string;
  /** The provider's id of a delivery: the same when it is sent again. */
  readonly deliveryId?: ((facts: DeliveryFacts<Event>) => string | undefined) | undefined;
  /** The provider's word for what happened. */
  readonly eventType?: ((facts: DeliveryFacts<Event>) => string | undefined) | undefined;
  /** Whether the signature covers the two. */
  readonly provenance?: { readonly deliveryId?: Provenance; readonly eventType?: Provenance } | undefined;
  /** The answer to a delivery whose message is confirmed. A status of 200 to 299. */
  readonly success?: SourceAnswer | undefined;
  /** The answer to a missing or a wrong proof (401), where the provider wants another than a problem document. */
  readonly refusal?: SourceAnswer | undefined;
};
