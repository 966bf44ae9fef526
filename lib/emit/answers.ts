/**
 * Bounds what a client holds for a broker that does not answer.
 *
 * @module
 */
import { BusyError } from "./busy-error";

/** Work that was given up, and that the client may hold until it settles. More of it lets nothing in. */
const MAX_OVERDUE = 1000;

/** Does a work unless its broker is known not to answer, and rejects with a `BusyError` when `timeoutMs` are over. */
export type Answers = <T>(timeoutMs: number, work: () => Promise<T>) => Promise<T>;

/**
 * Creates the record of one connection. Once a work took too long nothing is let in before the broker answers again, be it
 * late: a client may hold all that is handed to it meanwhile, although nobody awaits it any longer.
 */
export function answersOf(broker: string): Answers {
  let overdue = 0;
  let isSilent = false;

  return function within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    if (isSilent || overdue >= MAX_OVERDUE) {
      return Promise.reject(new BusyError(`${broker} has not answered yet to what it was sent before.`));
    }
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      const timer = setTimeout(() => {
        isOver = isSilent = true;
        overdue++;
        reject(
          new BusyError(`${broker} did not answer within ${timeoutMs} ms. It may have the message: at least once.`),
        );
      }, timeoutMs);
      const answered = (): void => {
        clearTimeout(timer);
        isSilent = false;
        if (isOver) overdue--;
      };
      // It is begun in this turn, so that order is kept.
      started(work).then(
        (value) => (answered(), resolve(value)),
        (error: unknown) => (answered(), reject(error)),
      );
    });
  };
}

/** What `work` throws is a rejection. */
function started<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
