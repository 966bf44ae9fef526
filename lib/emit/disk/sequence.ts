/**
 * Names for entries of a store, in the order of coming.
 *
 * @module
 */

const DIGITS = 16;
// Enough for a million a second; it stays a safe integer until the year 2255.
const PER_MILLISECOND = 1000;

/** Makes the next name of 16 digits, larger than all before it, and than those of the process before this one. */
export type Sequence = {
  readonly next: () => string;
  /** Tells of a name that is there. */
  readonly found: (id: string) => void;
};

/** Creates a sequence. By the clock, so that no name is given twice after a start with an empty folder. */
export function createSequence(): Sequence {
  let last = 0;
  return {
    next() {
      last = Math.max(last + 1, Date.now() * PER_MILLISECOND);
      return String(last).padStart(DIGITS, "0");
    },
    found(id) {
      last = Math.max(last, Number(id));
    },
  };
}
