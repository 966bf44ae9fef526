/**
 * Loads the modules of a folder, again and again, with memory flat.
 *
 * @module
 */
import { createRequire } from "node:module";
import { sep } from "node:path";
import { types } from "node:util";
import { setFlagsFromString } from "node:v8";

export type LoadedModule = {
  readonly exports: unknown;
  /** Node keeps an ES module for ever: another load of the same file gives the first one. */
  readonly isEsModule: boolean;
};

/** Loads a module by its real path: what Node has kept of it, or its file. @throws whatever loading it throws. */
export function loadModule(file: string): LoadedModule {
  // Made anew each time, for what requires a module lists it among its children, and would keep all versions.
  const exports: unknown = createRequire(file)(file);
  return { exports, isEsModule: /\.m[jt]s$/.test(file) || types.isModuleNamespaceObject(exports) };
}

/** Loads a module whose earlier versions are forgotten, so that V8 forgets them too. @throws as `loadModule` does. */
export function reloadModule(file: string): LoadedModule {
  // V8 as of Node 22 caches the text and the code of all that it compiles, and lets go of nothing before the heap is near
  // its limit. The flag is heeded at each compilation.
  setFlagsFromString("--no-compilation-cache");
  try {
    return loadModule(file);
  } finally {
    setFlagsFromString("--compilation-cache");
  }
}

/**
 * Makes Node forget modules of a folder, and those of it that require them: loaded again, they are read from their files.
 * What lies outside of the folder stays as it is, and is shared by all versions.
 *
 * @returns The real paths of all that was forgotten.
 */
export function forgetModules(files: ReadonlySet<string>, folder: string): ReadonlySet<string> {
  const { cache } = createRequire(folder + sep);
  const kept = Object.values(cache).filter((module) => module !== undefined);
  const inside = kept.filter(({ filename }) => filename?.startsWith(folder + sep));
  const stale = new Set(inside.filter(({ filename }) => files.has(filename)));
  const requiresStale = ({ children }: Partial<NodeJS.Module>): boolean =>
    children?.some((child) => stale.has(child)) ?? false;
  for (let before = -1; before < stale.size;) {
    before = stale.size;
    for (const module of inside) if (requiresStale(module)) stale.add(module);
  }

  for (const { filename } of stale) delete cache[filename];
  // A module outside of the folder that has required one of them would keep it.
  for (const module of kept.filter(requiresStale)) {
    module.children = module.children.filter((child) => !stale.has(child));
  }
  return new Set([...files, ...[...stale].map(({ filename }) => filename)]);
}
