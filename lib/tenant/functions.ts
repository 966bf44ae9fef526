/**
 * The function library of a tenant: functions by name, swapped while requests are under way.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Authenticator } from "../authenticate/authenticator";
import { checkLogger, consoleLogger, type Logger } from "../request/logger";
import { nearest } from "../request/nearest";
import { checkOptions, positiveInteger, shown, text } from "../request/options";
import type * as stocks from "./folder-stock";
import type { Problem } from "./function-folder";
import { nameProblem } from "../request/library-name";
import { FunctionTable, type FunctionEntry } from "./function-table";
import { requirementsOf, type LibraryFunction, type ModuleFunction } from "./module-function";
import { SYSTEM_FUNCTIONS, systemAuthenticator, type SystemContext } from "./system-functions";
import type { Watched, WatchOptions } from "./watch";

export type { FunctionEntry } from "./function-table";
export type { LibraryFunction } from "./module-function";
export type { SystemConfig, SystemContext } from "./system-functions";
export type { WatchOptions } from "./watch";

export type FunctionLibraryOptions = {
  /** Functions by their names. */
  readonly functions?: Readonly<Record<string, LibraryFunction>> | undefined;
  /**
   * A folder of modules that export one function each, named by its path: `orders/verify.js` is `orders/verify`. What has
   * `_` before its own or a folder's name is no function, but there for functions to require.
   */
  readonly folder?: string | undefined;
  /**
   * Whether a function whose module changes is swapped at once. A module that cannot be loaded, or exports no function,
   * leaves the old one in its place and is logged. A change to an ES module asks for a restart: Node keeps each for ever.
   *
   * @defaultValue `false`
   */
  readonly watch?: boolean | WatchOptions | undefined;
  /**
   * Where swaps (`info`) and what hinders them (`warn`, `error`) are told.
   *
   * @defaultValue `console`, for warnings and errors
   */
  readonly logger?: Logger | undefined;
  /**
   * The folder from which the requirements of a function are looked up before it takes another's place.
   *
   * @defaultValue the folder of the program's main module, then the current directory
   */
  readonly resolveFrom?: string | undefined;
};

/** Functions by name. */
export type FunctionLibrary = {
  /** The function of a name as it is now, or `undefined`. */
  readonly get: (name: string) => LibraryFunction | undefined;
  /**
   * Puts a function in the place of a name: calls from now on reach it, those under way end with the one they began with.
   * From then on a module of the folder does not replace it.
   *
   * @throws TypeError for a name that is malformed or the system's, and for anything but a function.
   */
  readonly set: (name: string, value: LibraryFunction) => FunctionEntry;
  /** All functions, in the order of their names. */
  readonly list: () => readonly FunctionEntry[];
  /** The packages that the function of a name needs. */
  readonly requirements: (name: string) => readonly string[];
  /**
   * An authenticator that calls the function of a name, each time the one that the library has then. Those of the system
   * (`echo.basic`) are made of the context once, here.
   *
   * @throws TypeError at start, for a name that is not known, with the nearest; and for a config that lacks what one of the
   * system's needs.
   */
  readonly authenticator: <Context extends SystemContext>(name: string, context: Context) => Authenticator<Context>;
  /** Ends the watching. Functions stay as they are. */
  readonly close: () => void;
};

const WORDS = ["functions", "folder", "watch", "logger", "resolveFrom"];
const WATCH_WORDS = ["settleMs", "pollMs"];

function checkWatch(watch: boolean | WatchOptions, folder: string | undefined): WatchOptions | undefined {
  if (watch === false) return undefined;
  if (folder === undefined) throw new TypeError("watch: there is no folder to watch; pass folder, too.");
  if (watch === true) return {};
  checkOptions("watch", watch, WATCH_WORDS);
  for (const word of ["settleMs", "pollMs"] as const) {
    if (watch[word] !== undefined) positiveInteger(word, watch[word]);
  }
  return { ...watch };
}

/** What the app hands over under a name. @throws TypeError that says why it cannot be taken. */
function handed(name: string, value: LibraryFunction): ModuleFunction {
  const why = nameProblem(name);
  if (why !== undefined) throw new TypeError(why);
  if (typeof value !== "function") throw new TypeError(`${shown(value)} is not a function`);
  return { value, requirements: requirementsOf(value.requirements) };
}

function refusal(problems: readonly Problem[]): TypeError {
  const count = problems.length === 1 ? "one function" : `${problems.length} functions`;
  const lines = problems.map(({ name, why }) => `\n- ${JSON.stringify(name)}: ${why}`);
  const causes = problems.flatMap(({ error }) => (error === undefined ? [] : [error]));
  const message = `createFunctionLibrary: ${count} cannot be taken.${lines.join("")}`;
  return new TypeError(message, causes.length > 0 ? { cause: new AggregateError(causes, message) } : undefined);
}

function notKnown(name: unknown, table: FunctionTable): TypeError {
  const known = [...table.list().map((entry) => entry.name), ...SYSTEM_FUNCTIONS.keys()];
  const near = typeof name === "string" ? nearest(name, known) : undefined;
  return new TypeError(
    `authenticator: the library has no function ${shown(name)}.` +
      (near === undefined ? ` There are: ${known.join(", ")}.` : ` Did you mean ${near}?`),
  );
}

/**
 * Creates a library of functions, of those handed over and of those in a folder.
 *
 * @throws TypeError at start, for names that are malformed, twice there, or the system's, and for modules that cannot be
 * loaded or export no function: one error lists all.
 *
 * @example
 * ```ts
 * const functions = createFunctionLibrary({ folder: join(__dirname, "functions"), watch: true });
 * const tenant = createTenant({ name: "acme", functions });
 * app.use("/webhooks/orders", createWebhookNode({ tenant, name: "orders", authenticator: "orders/verify", emitter }));
 * ```
 */
export function createFunctionLibrary(options: FunctionLibraryOptions = {}): FunctionLibrary {
  checkOptions("createFunctionLibrary", options, WORDS);
  const { functions = {}, folder, watch = false, logger = consoleLogger, resolveFrom } = options;
  checkLogger(logger);
  const watching = checkWatch(watch, folder);
  const table = new FunctionTable();
  /** The names that nodes were made with: their functions stay, whatever becomes of their modules. */
  const used = new Set<string>();

  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(functions)) {
    try {
      table.put(name, handed(name, value));
    } catch (error) {
      problems.push({ name, why: (error as TypeError).message });
    }
  }
  let watched: Watched | undefined;
  if (folder !== undefined) {
    const path = resolve(text("folder", folder));
    // Watching, hashing and loading anew are loaded for those alone who have a folder.
    const { FolderStock } = require("./folder-stock") as typeof stocks;
    const stock = new FolderStock({ folder: path, table, isUsed: (name) => used.has(name), logger, resolveFrom });
    problems.push(...stock.fill());
    if (watching && problems.length === 0) watched = stock.watch(watching);
  }
  if (problems.length > 0) throw refusal(problems);

  return {
    get: (name) => table.get(name),
    set(name, value) {
      try {
        return table.put(name, handed(name, value));
      } catch (error) {
        throw new TypeError(`set: ${shown(name)}: ${(error as TypeError).message}.`, { cause: error });
      }
    },
    list: () => table.list(),
    requirements: (name) => table.entry(name)?.requirements ?? [],
    authenticator(name, context) {
      if (SYSTEM_FUNCTIONS.has(name)) return systemAuthenticator(name, context);
      if (!table.entry(name)) throw notKnown(name, table);
      used.add(name);
      return function libraryFunction(args) {
        return (table.get(name) as Authenticator)(args);
      };
    },
    close: () => watched?.close(),
  };
}
