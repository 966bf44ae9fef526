/**
 * A configuration as functions read it: a copy that nothing can change. Pure.
 *
 * @module
 */

export type Config = Readonly<Record<string, unknown>>;

/** Holds an option to the shape of a configuration, and copies it. @throws TypeError at start. */
export function frozenConfig(config: Config = {}): Config {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new TypeError("config: it must be an object.");
  }
  return frozenCopy({ ...config }, new Map()) as Config;
}

/**
 * Copies and freezes objects and lists at every depth. Anything else that is in them (an octet buffer, a client, a
 * function) is the app's own and stays as it is.
 */
function frozenCopy(value: unknown, copies: Map<unknown, unknown>): unknown {
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  // A value that is met again, in itself too, is the same again.
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy: object = Array.isArray(value) ? [] : {};
  copies.set(value, copy);
  for (const [key, member] of Object.entries(value)) {
    // Defined, not assigned: a key such as "__proto__" stays a key.
    Object.defineProperty(copy, key, { value: frozenCopy(member, copies), enumerable: true });
  }
  return Object.freeze(copy);
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also one of another realm, whose Object is not ours.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
