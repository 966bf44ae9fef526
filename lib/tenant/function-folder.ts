/**
 * A folder of modules, each of which exports one function of the library.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { nameProblem } from "../request/library-name";
import { forgetModules, loadModule, reloadModule, type LoadedModule } from "./load-module";
import { moduleFiles } from "./module-files";
import { functionOf, type ModuleFunction } from "./module-function";

/** A function as its module has it now. */
export type FoundFunction = ModuleFunction & {
  readonly name: string;
  readonly file: string;
  readonly digest: string;
};

/** Why a function cannot be taken as its module has it now. */
export type Problem = { readonly name: string; readonly why: string; readonly error?: unknown };

export type Look = {
  /** Functions that are new or have changed, or require a module that has. */
  readonly found: readonly FoundFunction[];
  readonly problems: readonly Problem[];
  /** The names that there are modules for. */
  readonly names: ReadonlySet<string>;
};

type SeenFile = { readonly realPath: string; readonly digest: string };

/** `orders/verify.js` and `orders/verify/index.js` are the function `orders/verify`. */
function nameOf(path: string): string {
  return path.replace(/\.[^./]+$/, "").replace(/\/index$/, "");
}

/** JSON, and what has `_` before its own or a folder's name, is there for functions to require. */
function isFunctionFile(path: string): boolean {
  return !path.endsWith(".json") && !path.split("/").some((part) => part.startsWith("_"));
}

export class FunctionFolder {
  readonly #folder: string;
  #seen: ReadonlyMap<string, SeenFile> | undefined;
  /** By the names of functions, the real paths of the modules that they are loaded from. */
  readonly #loaded = new Map<string, string>();
  /** By the real paths of ES modules, the digests with which Node has loaded them for ever. */
  readonly #kept = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads all modules of the folder, and loads what has changed since the last look, and what could not be loaded then.
   *
   * @throws the system's error if the folder cannot be read.
   */
  look(): Look {
    const seen = this.#read();
    const load = this.#seen === undefined ? loadModule : reloadModule;
    const stale = this.#seen === undefined ? new Set<string>() : this.#forget(this.#seen, seen);
    this.#seen = seen;

    const files = filesByName(seen.keys());
    for (const name of this.#loaded.keys()) if (!files.has(name)) this.#loaded.delete(name);

    const found: FoundFunction[] = [];
    const problems: Problem[] = [];
    for (const [name, paths] of files) {
      const [path] = paths as [string];
      const file = seen.get(path) as SeenFile;
      const isAsBefore = this.#loaded.get(name) === file.realPath && !stale.has(file.realPath);
      const why = nameProblem(name) ?? (paths.length > 1 ? `it is there twice: ${paths.join(", ")}` : undefined);
      if (why !== undefined) problems.push({ name, why });
      else if (!isAsBefore) {
        try {
          found.push({ name, file: path, digest: file.digest, ...this.#take(file, load) });
          this.#loaded.set(name, file.realPath);
        } catch (error) {
          this.#loaded.delete(name);
          const { message, cause } = error as Error;
          problems.push({ name, why: message, error: cause });
        }
      }
    }
    return { found, problems, names: new Set(files.keys()) };
  }

  /** Loads a function again at the next look. */
  retry(name: string): void {
    this.#loaded.delete(name);
  }

  #read(): ReadonlyMap<string, SeenFile> {
    const seen = new Map<string, SeenFile>();
    for (const path of moduleFiles(this.#folder).files) {
      try {
        const realPath = realpathSync(join(this.#folder, path));
        seen.set(path, { realPath, digest: createHash("sha256").update(readFileSync(realPath)).digest("hex") });
      } catch {
        // It has gone since it was listed.
      }
    }
    return seen;
  }

  /** Makes Node forget what has changed. Both paths of a link that leads elsewhere have. */
  #forget(before: ReadonlyMap<string, SeenFile>, now: ReadonlyMap<string, SeenFile>): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const path of new Set([...before.keys(), ...now.keys()])) {
      const [was, is] = [before.get(path), now.get(path)];
      if (was?.digest === is?.digest && was?.realPath === is?.realPath) continue;
      for (const file of [was, is]) if (file) changed.add(file.realPath);
    }
    return changed.size === 0 ? changed : forgetModules(changed, realpathSync(this.#folder));
  }

  #take({ realPath, digest }: SeenFile, load: typeof loadModule): ModuleFunction {
    const kept = this.#kept.get(realPath);
    if (kept !== undefined && kept !== digest) {
      throw new TypeError("it is an ES module, which Node keeps for ever; restart to take the change");
    }
    const { exports, isEsModule } = loaded(realPath, load);
    if (isEsModule) this.#kept.set(realPath, digest);
    return functionOf(exports);
  }
}

function loaded(file: string, load: typeof loadModule): LoadedModule {
  try {
    return load(file);
  } catch (cause) {
    const isTyped = /\.[cm]?ts$/.test(file) && !("typescript" in process.features && process.features.typescript);
    const advice = isTyped ? "; this Node strips no types, as 22.18 and later do" : "";
    throw new Error(`it could not be loaded: ${firstLine(cause)}${advice}`, { cause });
  }
}

function firstLine(error: unknown): string {
  return String(error).split("\n", 1)[0] ?? "";
}

function filesByName(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const path of paths) {
    if (!isFunctionFile(path)) continue;
    const name = nameOf(path);
    files.set(name, [...(files.get(name) ?? []), path]);
  }
  return files;
}
