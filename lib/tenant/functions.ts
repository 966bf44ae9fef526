/**
 * The function library of a tenant: functions by name, swapped while requests are under way.
 *
 * @module
 */
import type { Authenticator } from "../authenticate/authenticator";
import { nearest } from "../request/nearest";
import { checkFunction, checkOptions, shown } from "../request/options";
import { nameProblem } from "./function-name";

/** A function of the library. It may say which packages it needs. */
export type LibraryFunction = ((...args: never[]) => unknown) & {
  /** Packages that the function needs, such as `["pg@>=8.11", "jose"]`: checked when a node that uses it is made. */
  readonly requirements?: readonly string[] | undefined;
};

/** What a library tells of a function: where it came from, and since when it is the one in use. */
export type FunctionEntry = {
  readonly name: string;
  /** 1 for the first, and one more with each that took its place. */
  readonly version: number;
  /** When this version took its place. */
  readonly since: Date;
  /** The module that it was loaded from. Absent where the app handed it over. */
  readonly file?: string;
  /** SHA-256 of that module's octets, in hex: what tells whether two servers have the same one. */
  readonly digest?: string;
  readonly requirements: readonly string[];
};

export type FunctionLibraryOptions = {
  /** Functions by their names. */
  readonly functions?: Readonly<Record<string, LibraryFunction>> | undefined;
};

/** Functions by name. */
export type FunctionLibrary = {
  /** The function of a name as it is now, or `undefined`. */
  get(name: string): LibraryFunction | undefined;
  /**
   * Puts a function in the place of a name: calls from now on reach it, those under way end with the one they began with.
   *
   * @throws TypeError for a name that is malformed or the system's, and for anything but a function.
   */
  set(name: string, value: LibraryFunction): FunctionEntry;
  /** All functions, in the order of their names. */
  list(): readonly FunctionEntry[];
  /** The packages that the function of a name needs. */
  requirements(name: string): readonly string[];
  /**
   * An authenticator that calls the function of a name, each time the one that the library has then. Those of the system
   * (`echo.basic`) are made of the context once, here.
   *
   * @throws TypeError at start, for a name that is not known; it names the nearest.
   */
  authenticator<Context extends { readonly config: object }>(name: string, context: Context): Authenticator<Context>;
  /** Ends the watching. Functions stay as they are. */
  close(): void;
};

type Slot = FunctionEntry & { readonly value: LibraryFunction };

const WORDS = ["functions"];

/**
 * Creates a library of functions.
 *
 * @throws TypeError at start, for names that are malformed or the system's, and for values that are no functions: one
 * error lists all.
 */
export function createFunctionLibrary(options: FunctionLibraryOptions = {}): FunctionLibrary {
  checkOptions("createFunctionLibrary", options, WORDS);
  const slots = new Map<string, Slot>();

  const put = (name: string, value: LibraryFunction): FunctionEntry => {
    const version = (slots.get(name)?.version ?? 0) + 1;
    const slot = { name, version, since: new Date(), requirements: value.requirements ?? [], value };
    slots.set(name, slot);
    return slot;
  };
  for (const [name, value] of Object.entries(options.functions ?? {})) put(name, value);

  return {
    get: (name) => slots.get(name)?.value,
    set(name, value) {
      const problem = nameProblem(name);
      if (problem) throw new TypeError(`set: ${shown(name)}: ${problem}.`);
      return put(name, checkFunction("set", value));
    },
    list: () => [...slots.values()],
    requirements: (name) => slots.get(name)?.requirements ?? [],
    authenticator(name) {
      const slot = slots.get(name);
      if (!slot) {
        const near = nearest(name, slots.keys());
        throw new TypeError(
          `authenticator: the library has no function ${shown(name)}.${near ? ` Did you mean ${near}?` : ""}`,
        );
      }
      return (args) => (slots.get(name)?.value as Authenticator)(args);
    },
    close() {},
  };
}
