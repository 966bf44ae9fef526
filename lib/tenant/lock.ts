/**
 * A lock: one holder at a time, and the others in the order in which they asked.
 *
 * @module
 */
import { checkFunction } from "../request/options";

export type AcquireOptions = {
  /** Leaves the queue when it fires: the promise rejects with its reason. A lock that is held already stays held. */
  readonly signal?: AbortSignal | undefined;
};

/** One turn at the lock. With `using` or `await using` it ends where the block does. */
export type LockHold = Disposable &
  AsyncDisposable & {
    /** Ends this turn. A second call does nothing, so that no other's turn is ended by it. */
    readonly release: () => void;
  };

export type Lock = {
  /** Waits for a turn, first come, first served. It is not re-entrant: a holder that asks again waits for itself. */
  readonly acquire: (options?: AcquireOptions) => Promise<LockHold>;
  /** Ends the turn of whoever holds the lock. @throws Error if nobody does. */
  readonly release: () => void;
  /** Whether somebody holds it. */
  readonly locked: () => boolean;
  /** Runs `work` while holding the lock, and releases it whatever becomes of the work. */
  readonly withLock: <T>(work: () => T | PromiseLike<T>, options?: AcquireOptions) => Promise<T>;
};

// A realm of its own, such as a test runner's, may lack the symbols on a Node that has them; compiled `using` then looks
// for these.
const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/** Creates a lock. Its functions need no `this`. */
export function createLock(): Lock {
  let holder: LockHold | undefined;
  const queue: (() => void)[] = [];

  function hold(): LockHold {
    const release = (): void => {
      if (holder !== turn) return;
      holder = undefined;
      queue.shift()?.();
    };
    const turn: LockHold = { release, [DISPOSE]: release, [ASYNC_DISPOSE]: async () => release() };
    return (holder = turn);
  }

  async function acquire({ signal }: AcquireOptions = {}): Promise<LockHold> {
    signal?.throwIfAborted();
    if (!holder) return hold();
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        // Held from now on, not from when the promise is looked at: nobody can come between.
        resolve(hold());
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", leave, { once: true });
      queue.push(enter);
    });
  }

  function release(): void {
    if (!holder) throw new Error("release: nobody holds the lock.");
    holder.release();
  }

  async function withLock<T>(work: () => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    checkFunction("withLock", work);
    const turn = await acquire(options);
    try {
      return await work();
    } finally {
      turn.release();
    }
  }

  return { acquire, release, locked: () => holder !== undefined, withLock };
}
