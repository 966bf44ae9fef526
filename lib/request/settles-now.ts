/**
 * Tells work that is done at once from work that has to be waited for.
 *
 * @module
 */

/** What a few async functions, one in the other, need to hand a result through. */
const TICKS = 10;
const TICK = Promise.resolve();

/** Whether `work` settles before the event loop goes on, as whatever needs nothing but memory does. */
export async function settlesNow(work: PromiseLike<unknown>): Promise<boolean> {
  const state = { isSettled: false };
  const mark = (): void => {
    state.isSettled = true;
  };
  work.then(mark, mark);
  for (let tick = 0; tick < TICKS && !state.isSettled; tick++) await TICK;
  return state.isSettled;
}
