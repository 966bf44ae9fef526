/**
 * Refuses promises where a value is due: one would be taken for the value, and its rejection would be caught by nobody.
 *
 * @module
 */
import { isThenable } from "./thenable";

/** Hands a value on. @throws TypeError for a promise. */
export function notPromised<T>(word: string, value: T): T {
  if (!isThenable(value)) return value;
  value.then(null, () => {});
  throw new TypeError(`${word}: it returned a promise, and nothing awaits it there; it must return a value.`);
}
