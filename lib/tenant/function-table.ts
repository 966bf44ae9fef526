/**
 * Functions by name, each with what is known of it.
 *
 * @module
 */
import type { LibraryFunction, ModuleFunction } from "./module-function";

/** What a library tells of a function: where it came from, and since when it is the one in use. */
export type FunctionEntry = {
  readonly name: string;
  /** 1 for the first, and one more with each that took its place. */
  readonly version: number;
  /** When this version took its place. */
  readonly since: Date;
  /** The module that it was loaded from, as a path from the library's folder. Absent where the app handed it over. */
  readonly file?: string;
  /** SHA-256 of that module's octets, in hex: tells whether two servers have the same one. */
  readonly digest?: string;
  /** The packages that it needs. */
  readonly requirements: readonly string[];
};

export class FunctionTable {
  readonly #functions = new Map<string, { readonly entry: FunctionEntry; readonly value: LibraryFunction }>();

  get(name: string): LibraryFunction | undefined {
    return this.#functions.get(name)?.value;
  }

  entry(name: string): FunctionEntry | undefined {
    return this.#functions.get(name)?.entry;
  }

  /** All entries, in the order of their names. */
  list(): readonly FunctionEntry[] {
    const entries = [...this.#functions.values()].map(({ entry }) => entry);
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Puts a function in the place of a name. */
  put(
    name: string,
    { value, requirements }: ModuleFunction,
    module: Pick<FunctionEntry, "file" | "digest"> = {},
  ): FunctionEntry {
    const version = (this.entry(name)?.version ?? 0) + 1;
    const entry = Object.freeze({ name, version, since: new Date(), ...module, requirements });
    this.#functions.set(name, { entry, value });
    return entry;
  }

  remove(name: string): void {
    this.#functions.delete(name);
  }
}
