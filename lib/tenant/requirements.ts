/**
 * Checks, while the server starts, that the packages which functions need are installed.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { shown } from "../request/options";
import { installLine, packageFolder } from "./package-manager";
import type * as unmet from "./unmet-requirements";

export type RequirementsOptions = {
  /**
   * Packages that must be installed, each a name, or a name and a range of versions: `["pg@>=8.11", "jose"]`.
   *
   * @defaultValue `[]`
   */
  readonly requirements?: readonly string[] | undefined;
  /**
   * The folder from which packages are looked up, in its `node_modules` and those above it.
   *
   * @defaultValue the folder of the program's main module, then the current directory
   */
  readonly resolveFrom?: string | undefined;
};

/**
 * Holds requirements to what is installed for the app. Nothing of the packages is loaded.
 *
 * @throws Error at start, that lists each package which is missing or out of range, with the one line that installs them.
 */
export function checkRequirements({ requirements = [], resolveFrom }: RequirementsOptions): void {
  if (!Array.isArray(requirements)) {
    throw new TypeError(`requirements: ${shown(requirements)} is not a list, such as ["pg@>=8.11", "jose"].`);
  }
  if (requirements.length === 0) return;

  const folders = resolveFrom === undefined ? appFolders() : [resolve(resolveFrom)];
  const { unmetRequirements } = require("./unmet-requirements") as typeof unmet;
  const { problems, packages } = unmetRequirements(requirements, folders);
  if (problems.length === 0) return;

  const app = packageFolder(folders[0] as string);
  throw new Error(
    [
      `requirements: ${problems.length === 1 ? "one is" : `${problems.length} are`} not met.`,
      ...problems.map((problem) => `- ${problem}`),
      ...(packages.length === 0 ? [] : [`Run in ${app}: ${installLine(app, packages)}`]),
    ].join("\n"),
  );
}

/** Where a program's packages are: beside its main module, unless that is a tool which runs it, and where it was started. */
function appFolders(): readonly string[] {
  const [, main] = process.argv;
  const folder = main === undefined ? undefined : dirname(real(main));
  const isTool = folder === undefined || `${folder}${sep}`.includes(`${sep}node_modules${sep}`);
  return isTool ? [process.cwd()] : [folder, process.cwd()];
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
