/**
 * The error by which an emitter says that a message will never be taken.
 *
 * @module
 */

const CODE = "ERR_WEBHOOK_PERMANENT";

/**
 * Thrown by an emitter: sending the same message again would fail again. The message goes to `deadLetter`; without one,
 * the delivery is refused with `ERR_WEBHOOK_MESSAGE_REFUSED` (422), and its sender is not asked to try again.
 */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
  readonly code = CODE;
}

/** Whether an emitter's failure is for good: told by the code, which is the same in two copies of the package. */
export function isPermanent(error: unknown): boolean {
  try {
    return (error as { code?: unknown } | null | undefined)?.code === CODE;
  } catch {
    return false;
  }
}
