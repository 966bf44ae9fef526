/**
 * Lets other work in between large bodies, where many have come at once.
 *
 * @module
 */

/** From this size on a body is worth a turn of its own: it takes a millisecond or so to inflate, and to parse. */
const LARGE_BYTES = 131_072;

/** Resolves when the turn of the one that came last is over. */
let last: Promise<void> = Promise.resolve();

/**
 * Whose turn it is to work on a large body: in each turn of the event loop it is one's. A small body does not wait, nor does
 * the first of a turn.
 */
export function turnFor(bytes: number): Promise<void> | undefined {
  if (bytes < LARGE_BYTES) return undefined;
  const mine = last;
  last = mine.then(nextTurn);
  return mine;
}

/** Resolves once all that has come meanwhile was heard. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
