/**
 * What a store of deduplication has to do. Types alone.
 *
 * @module
 */

/** What is known of a key. */
export type Claim =
  /** Nobody had it, or its lease had run out: it is the caller's now. */
  | { readonly state: "claimed" }
  /** Another has it, and has not confirmed it yet. */
  | { readonly state: "underWay" }
  /** It was confirmed within the window. */
  | { readonly state: "delivered"; readonly trackingId: string };

/**
 * Keeps which messages were delivered. Each method is one atomic operation, also between processes, and a rejection of any
 * of them is a failure of the store: the delivery is then 503, and is never taken for a duplicate.
 */
export type DeduplicationStore = {
  /** Claims a key for `leaseMs`, unless another has it. Keys are 64 hex digits. */
  readonly claim: (key: string, options: { readonly owner: string; readonly leaseMs: number }) => Promise<Claim>;
  /** Keeps a key as delivered for `windowMs`, whoever has claimed it meanwhile: the message is with the receiver. */
  readonly confirm: (
    key: string,
    options: { readonly owner: string; readonly trackingId: string; readonly windowMs: number },
  ) => Promise<unknown>;
  /** Lets a key go, if it is still the owner's: the message was not delivered. */
  readonly release: (key: string, options: { readonly owner: string }) => Promise<unknown>;
};
