/**
 * Tells promises from values: by `then`, for promises of other realms and libraries are promises, too.
 *
 * @module
 */

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
