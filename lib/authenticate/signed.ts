/**
 * What a delivery says of its signature, and what may have been meant instead. Types alone.
 *
 * @module
 */

/** One way in which what was signed may differ from what we looked at, and the words for it: none where nothing is wrong. */
export type Guess<T> = { readonly value: T; readonly why: string };

/** What a delivery's header fields say of its signature. */
export type Signed = {
  /** The signatures as written, without scheme or prefix. One of them has to match. */
  readonly signatures: readonly string[];
  /** What is signed before the octets of the body. */
  readonly before?: string | undefined;
  /** What is signed after them. */
  readonly after?: string | undefined;
  /** What may have been signed instead, to explain a mismatch: the same for another URL. */
  readonly others?: (() => readonly Guess<Signed>[]) | undefined;
};
