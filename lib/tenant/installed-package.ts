/**
 * Finds a package as it is installed for an app, without loading it.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, sep } from "node:path";

/** What a package's own `package.json` says of it, and where that lies. */
export type InstalledPackage = {
  readonly folder: string;
  readonly name: string | undefined;
  readonly version: string | undefined;
};

/**
 * Looks for a package in the `node_modules` above a folder, as `require` and `import` would from there.
 *
 * The file itself is read, so that neither `exports` without `./package.json`, nor a package for `import` alone, nor a
 * link into a workspace hides the version.
 */
export function installedPackage(name: string, folder: string): InstalledPackage | undefined {
  for (const candidate of candidates(name, folder)) {
    let text: string;
    try {
      text = readFileSync(join(candidate, "package.json"), "utf8");
    } catch {
      continue;
    }
    return { folder: candidate, ...namedIn(text) };
  }
  return undefined;
}

function candidates(name: string, folder: string): readonly string[] {
  const require = createRequire(join(folder, "_"));
  // Yarn's Plug'n'Play has no node_modules; its API knows where a package lies, and its `fs` reads there.
  if (process.versions["pnp"] !== undefined) {
    const { resolveToUnqualified } = require("pnpapi") as { resolveToUnqualified: (...args: unknown[]) => string };
    try {
      return [resolveToUnqualified(name, folder + sep, { considerBuiltins: false })];
    } catch {
      return [];
    }
  }
  // Asked for a word that is no module of Node's, so that a package of that name (punycode, events) is found, too.
  return (require.resolve.paths("_") ?? []).map((path) => join(path, name));
}

function namedIn(text: string): Pick<InstalledPackage, "name" | "version"> {
  const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  try {
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
    return { name: textOf(name), version: textOf(version) };
  } catch {
    return { name: undefined, version: undefined };
  }
}
