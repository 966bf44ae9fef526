/**
 * Holds requirements to what is installed, and tells what would meet them. Loaded at the first requirement.
 *
 * @module
 */
import { minVersion, satisfies, subset, validRange } from "semver";
import { installedPackage, type InstalledPackage } from "./installed-package";
import { LOOSELY, parseRequirement, type Requirement } from "./requirement";

export type Unmet = {
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
  /** What a package manager is to be asked for. */
  readonly packages: readonly string[];
};

/** Looks up each package from the first folder where it is found. */
export function unmetRequirements(requirements: readonly unknown[], folders: readonly string[]): Unmet {
  const problems: string[] = [];
  const packages: string[] = [];
  const wanted = new Map<string, Requirement[]>();
  for (const text of new Set(requirements)) {
    try {
      const requirement = parseRequirement(text);
      wanted.set(requirement.name, [...(wanted.get(requirement.name) ?? []), requirement]);
    } catch (error) {
      problems.push((error as TypeError).message);
    }
  }

  for (const [name, all] of wanted) {
    const problem = problemOf(name, all, installedIn(folders, name));
    if (problem === undefined) continue;
    const mending = installable(name, all);
    if (mending !== undefined) packages.push(mending);
    problems.push(mending === undefined ? `${problem}; no version is in all of these ranges` : problem);
  }
  return { problems, packages };
}

function installedIn(folders: readonly string[], name: string): InstalledPackage | undefined {
  for (const folder of folders) {
    const found = installedPackage(name, folder);
    if (found) return found;
  }
  return undefined;
}

function problemOf(name: string, all: readonly Requirement[], found: InstalledPackage | undefined): string | undefined {
  const asked = all.map(({ text }) => text).join(", ");
  if (!found) return `${asked}: it is not installed`;
  if (all.some(({ original }) => original !== undefined && original !== found.name)) {
    return `${asked}: ${found.name ?? "another package"} is installed as ${name}, in ${found.folder}`;
  }
  const isMet = all.every(({ range }) => range === undefined || satisfies(found.version ?? "", range, LOOSELY));
  return isMet ? undefined : `${asked}: ${found.version ?? "no version"} is installed, in ${found.folder}`;
}

/** What to ask the package manager for, or `undefined` if the ranges exclude each other. */
function installable(name: string, all: readonly Requirement[]): string | undefined {
  const placed = all.find(
    ({ text, range, original }) => original !== undefined || (range === undefined && text !== name),
  );
  if (placed) return placed.text;
  const ranges = all.map(({ range = "*" }) => validRange(range, LOOSELY) ?? "");
  const narrowest = all.find((_, at) => ranges.every((range) => subset(ranges[at] ?? "", range)));

  // A range is a choice (a || b) of sets, and a set is what all of its members allow: joined sets are in both ranges.
  let choices = [""];
  for (const range of ranges) {
    choices = choices.flatMap((choice) => range.split("||").map((set) => `${choice} ${set}`.trim()));
  }
  const possible = choices.filter((choice) => minVersion(choice) !== null);
  if (possible.length === 0) return undefined;
  return narrowest?.text ?? `${name}@${possible.map((choice) => validRange(choice)).join(" || ")}`;
}
