/**
 * Tells the command that installs packages in an app.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const COMMANDS = { npm: "npm install", pnpm: "pnpm add", yarn: "yarn add" } as const;
type PackageManager = keyof typeof COMMANDS;

const LOCK_FILES: readonly (readonly [file: string, manager: PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** What no shell takes for anything but text. Double quotes are the ones that all of them know. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9@._/:+-]*$/;

/** The line that installs packages: `npm install "pg@>=8.11" jose`. */
export function installLine(folder: string, packages: readonly string[]): string {
  const words = packages.map((text) => (PLAIN.test(text) ? text : `"${text}"`));
  return [COMMANDS[packageManager(folder)], ...words].join(" ");
}

/** The nearest folder above that has a `package.json`: the app, as its package manager sees it. */
export function packageFolder(folder: string): string {
  return [...foldersAbove(folder)].find((above) => existsSync(join(above, "package.json"))) ?? folder;
}

/**
 * The package manager that an app is installed with: what its `package.json` or its lock file says, or those of the
 * workspace above it; else the one that has started the process; else npm.
 */
function packageManager(folder: string): PackageManager {
  for (const above of foldersAbove(folder)) {
    const found = pinnedIn(above) ?? LOCK_FILES.find(([file]) => existsSync(join(above, file)))?.[1];
    if (found) return found;
  }
  return managerIn(process.env["npm_config_user_agent"]) ?? "npm";
}

/** `packageManager` of a `package.json`, such as `pnpm@10.1.0`. */
function pinnedIn(folder: string): PackageManager | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { packageManager?: unknown };
    return managerIn(manifest.packageManager);
  } catch {
    return undefined;
  }
}

/** `pnpm` of `pnpm/10.1.0 npm/? node/v24.0.0`, and of `pnpm@10.1.0`. */
function managerIn(value: unknown): PackageManager | undefined {
  const word = typeof value === "string" ? (/^[a-z]+(?=[/@])/.exec(value)?.[0] ?? "") : "";
  return Object.hasOwn(COMMANDS, word) ? (word as PackageManager) : undefined;
}

function* foldersAbove(folder: string): Generator<string> {
  for (let above = folder; ; above = dirname(above)) {
    yield above;
    if (above === dirname(above)) return;
  }
}
