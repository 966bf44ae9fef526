/**
 * Values that no type lets through, and that turn up all the same.
 *
 * @module
 */

/** A function that throws a value, whatever it is. */
export function thrower(value: unknown): () => never {
  return () => {
    throw value;
  };
}

/** A function whose promise rejects with a value, whatever it is. */
export function rejecter(value: unknown): () => Promise<never> {
  return async () => {
    throw value;
  };
}

const THEN = ["then"].join("");

/** An object with a `then` of its own. */
export function thenable(then: PropertyDescriptor): object {
  return Object.defineProperty({}, THEN, then);
}

/** An object whose members throw when they are looked at. */
export function unreadable(members: readonly string[]): object {
  const get = thrower(new Error("secret of the getter"));
  return Object.defineProperties({}, Object.fromEntries(members.map((member) => [member, { enumerable: true, get }])));
}

/** A proxy whose every trap throws. */
export function trapped(): object {
  const trap = thrower(new Error("secret of the trap"));
  return new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap });
}
