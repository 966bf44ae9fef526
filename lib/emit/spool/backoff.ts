/**
 * How long to wait before something that has failed is tried again.
 *
 * @module
 */

export type BackoffOptions = {
  /** The wait after the first failure, in milliseconds. Each further one doubles it. */
  readonly minDelayMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxDelayMs: number;
};

/**
 * The wait after so many failures in a row, in milliseconds: between a half and all of what doubling comes to, by chance, so
 * that what has failed together does not come back together.
 */
export function backoff(failures: number, { minDelayMs, maxDelayMs }: BackoffOptions, random = Math.random): number {
  const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** Math.max(0, failures - 1));
  return Math.round(ceiling * (0.5 + random() / 2));
}
