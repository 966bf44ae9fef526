/**
 * The error by which an emitter says that it can take no message now.
 *
 * @module
 */

/**
 * Thrown by an emitter that is full or cut off from its broker: the sender is answered with 503, and asked to come again
 * after `retryAfterSeconds`.
 */
export class BusyError extends Error {
  override readonly name = "BusyError";
  readonly code = "ERR_WEBHOOK_EMITTER_BUSY";
  /** The least time to wait, in seconds. */
  readonly retryAfterSeconds: number;

  constructor(message: string, options: { readonly retryAfterSeconds?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}
