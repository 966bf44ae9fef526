/**
 * Bounds work that is dear: how much of it runs at once, and how much waits.
 *
 * @module
 */

export type BoundedOptions = {
  /** How many run at once. */
  readonly atOnce: number;
  /** How many wait for their turn, first come, first served. */
  readonly waiting: number;
  /** What is thrown at those beyond. */
  readonly busy: () => Error;
};

/** Runs work when its turn has come. */
export type Bounded = <T>(work: () => Promise<T>) => Promise<T>;

/** Creates a function that runs no more than so much at once. */
export function bounded({ atOnce, waiting, busy }: BoundedOptions): Bounded {
  let running = 0;
  const queue: (() => void)[] = [];

  return async function run(work) {
    if (running < atOnce) running++;
    else if (queue.length >= waiting) throw busy();
    // Whoever has finished hands its place on, so that nobody slips in between.
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
