/**
 * A delivery that a node has refused, as it was received. Types alone.
 *
 * @module
 */

/** What is left of a delivery that was refused: enough to look at it, and to send it again. */
export type RefusedDelivery = {
  /** The name of the node. */
  readonly node: string;
  /** The name of the source (the provider), where the node has one. */
  readonly source?: string;
  /** The status and the code of the refusal. */
  readonly status: number;
  readonly code?: string;
  /** What the sender was told. */
  readonly detail?: string;
  /** The provider's id of the delivery and its word for what happened, as far as the header fields say: nothing vouches for them. */
  readonly deliveryId?: string;
  readonly eventType?: string;
  readonly method: string;
  /** The request target as received, with the path that the node is mounted at: Express's `originalUrl`. */
  readonly target: string;
  /** The field lines as received, names and values by turns: Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** The octets of the body as sent, codings not undone, as far as they were read. */
  readonly octets: Buffer;
  /** Whether these are all octets of the body. */
  readonly isWhole: boolean;
  /** When the request's header section had arrived. */
  readonly receivedAt: Date;
};
