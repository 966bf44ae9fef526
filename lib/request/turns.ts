/**
 * Lets other work in between large bodies, where many have come at once.
 *
 * @module
 */

/** From this size on a body counts: it takes a millisecond or so to inflate, and to parse. */
const LARGE_BYTES = 131_072;
/** How much of large bodies is worked on in one turn of the event loop: about 30 ms of it. */
const TURN_BYTES = 4_194_304;

let worked = 0;
const waiting: { readonly bytes: number; readonly begin: () => void }[] = [];

/**
 * Whose turn it is to work on a large body. A small one does not wait, nor does one that there is room for in this turn of
 * the event loop: what has just come is still in the processor's caches.
 */
export function turnFor(bytes: number): Promise<void> | undefined {
  if (bytes < LARGE_BYTES) return undefined;
  if (waiting.length === 0 && hasRoomFor(bytes)) {
    work(bytes);
    return undefined;
  }
  return new Promise((begin) => waiting.push({ bytes, begin }));
}

function hasRoomFor(bytes: number): boolean {
  return worked === 0 || worked + bytes <= TURN_BYTES;
}

function work(bytes: number): void {
  if (worked === 0) setImmediate(nextTurn);
  worked += bytes;
}

/** All that has come meanwhile was heard. */
function nextTurn(): void {
  worked = 0;
  for (let next = waiting[0]; next && hasRoomFor(next.bytes); next = waiting[0]) {
    waiting.shift();
    work(next.bytes);
    next.begin();
  }
}
