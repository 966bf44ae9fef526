/**
 * Finds the one function that a module exports.
 *
 * @module
 */

/** A function of the library. It may say which packages it needs. */
export type LibraryFunction = ((...args: never[]) => unknown) & {
  /** Packages that the function needs, such as `["pg@>=8.11", "jose"]`: checked when a node that uses it is made. */
  readonly requirements?: readonly string[] | undefined;
};

export type ModuleFunction = {
  readonly value: LibraryFunction;
  /** The function's own `requirements`, else what the module exports by that name beside it. */
  readonly requirements: readonly string[];
};

/**
 * Takes what `module.exports` is, else the default export, else the only function among the named exports.
 *
 * @throws TypeError for a module that exports no function, or several.
 */
export function functionOf(exports: unknown): ModuleFunction {
  const named = (typeof exports === "object" && exports !== null ? exports : {}) as Readonly<Record<string, unknown>>;
  const value = [exports, named["default"]].find(isFunction) ?? onlyFunction(named);
  return { value, requirements: requirementsOf(value.requirements ?? named["requirements"]) };
}

function onlyFunction(named: Readonly<Record<string, unknown>>): LibraryFunction {
  const found = Object.entries(named).filter(([, value]) => isFunction(value));
  if (found.length === 1) return found[0]?.[1] as LibraryFunction;
  if (found.length === 0) throw new TypeError("it exports no function");
  const names = found.map(([name]) => name).join(", ");
  throw new TypeError(`it exports several functions (${names}), and none is its module.exports or its default export`);
}

/** @throws TypeError for anything but a list of texts. */
export function requirementsOf(requirements: unknown): readonly string[] {
  if (requirements === undefined) return [];
  if (Array.isArray(requirements) && requirements.every((text) => typeof text === "string")) {
    return Object.freeze([...(requirements as readonly string[])]);
  }
  throw new TypeError('its requirements are not a list of texts, such as ["pg@>=8.11", "jose"]');
}

function isFunction(value: unknown): value is LibraryFunction {
  return typeof value === "function";
}
