/**
 * What is known of a message that is safe. Types alone.
 *
 * @module
 */

/** What became of a message that is safe. */
export type Confirmation = {
  /** Whether it has gone to the dead letters. */
  readonly isDeadLetter: boolean;
  /** Why it has: what the emitter has thrown. */
  readonly error?: unknown;
  /** The tracking id that was told to whoever sent the same one first. */
  readonly duplicateOf?: string;
};
