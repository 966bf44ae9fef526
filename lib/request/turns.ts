/**
 * Lets other work in between large coded bodies, where many have come at once: each is small when it comes, so an event loop
 * reads all of them in one turn. Those without a coding come at the pace of their connections, piece by piece; made to
 * wait in memory they would only grow old, and cost half as much again when they are collected.
 *
 * @module
 */

/** From this size on a body counts: it takes a millisecond or so to inflate, and to parse. */
const LARGE_BYTES = 131_072;
/** For how long large bodies may be worked on in one turn of the event loop, in milliseconds. */
const TURN_MS = 60;

/** When work on large bodies has begun in this turn, if it has. */
let beganAt: number | undefined;
const waiting: (() => void)[] = [];
const TICK = Promise.resolve();

/** Whether a body counts. */
export function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES;
}

/**
 * Whose turn it is to work on a large body. A small one does not wait, nor does one that there is time for in this turn:
 * what has just come is still in the processor's caches.
 */
export function turnFor(bytes: number): Promise<void> | undefined {
  if (!isLarge(bytes)) return undefined;
  if (waiting.length > 0 || isLate()) return new Promise((begin) => waiting.push(begin));
  work();
  return undefined;
}

function isLate(): boolean {
  return beganAt !== undefined && performance.now() - beganAt >= TURN_MS;
}

function work(): void {
  if (beganAt !== undefined) return;
  beganAt = performance.now();
  // The first round comes right behind the events that were polled; timers and new events come before the second.
  setImmediate(() => setImmediate(nextTurn));
}

function nextTurn(): void {
  beganAt = undefined;
  beginNext();
}

function beginNext(): void {
  const begin = isLate() ? undefined : waiting.shift();
  if (!begin) return;
  work();
  begin();
  // The work is done in microtasks: by the tick behind them it is known how long it has taken.
  void TICK.then(() => process.nextTick(beginNext));
}
