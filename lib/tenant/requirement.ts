/**
 * Reads one requirement: the name of a package, and which of its versions will do.
 *
 * `validate-npm-package-name` and `semver` judge the two, as they do for npm.
 *
 * @module
 */
import { isBuiltin } from "node:module";
import { validRange } from "semver";
import validate from "validate-npm-package-name";
import { shown } from "../request/options";

export type Requirement = {
  /** As it was written. */
  readonly text: string;
  /** The name that it is required and imported by. */
  readonly name: string;
  /** The versions that will do. Absent where any does, and where only a registry or a repository could tell. */
  readonly range?: string;
  /** The package's own name, where it is installed under another: `bar` of `foo@npm:bar@^1`. */
  readonly original?: string;
};

/** A tag of the registry (`latest`), or where else a package comes from (`github:owner/name`, `file:../name`). */
const TAG = /^(?!v\d)[A-Za-z][\w.-]*$/;
const PLACE = /^[A-Za-z+.]+:|^[\w.-]+\/[\w.-]+|^[./~]/;
const ALIAS = "npm:";

/** As npm reads versions and ranges: `v8.11` is one. */
export const LOOSELY = true;

const FORM = "write a package's name, or name@range, such as pg@>=8.11";

/** @throws TypeError for what is no requirement, naming what it is to be. */
export function parseRequirement(value: unknown): Requirement {
  if (typeof value !== "string") throw new TypeError(`${shown(value)} is no text; ${FORM}`);
  const text = value.trim();
  const [name, wanted] = split(text);
  if (isBuiltin(name) && wanted === "") {
    throw new TypeError(`${shown(text)} is a module of Node itself, and needs no requirement`);
  }
  checkName(name, text);
  if (wanted.startsWith(ALIAS)) {
    const [original, range] = split(wanted.slice(ALIAS.length));
    checkName(original, text);
    return { text, name, original, ...rangeOf(range, text) };
  }
  return { text, name, ...rangeOf(wanted, text) };
}

/** The name goes up to the first `@` but the one that a scope begins with. */
function split(text: string): readonly [name: string, wanted: string] {
  const at = text.indexOf("@", 1);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1).trim()];
}

function checkName(name: string, text: string): void {
  const { validForOldPackages, errors } = validate(name);
  if (!validForOldPackages) {
    throw new TypeError(`${shown(text)} is no requirement (${errors?.join(", ")}); ${FORM}`);
  }
}

function rangeOf(wanted: string, text: string): { range?: string } {
  if (wanted === "" || TAG.test(wanted)) return {};
  if (validRange(wanted, LOOSELY) !== null) return { range: wanted };
  if (PLACE.test(wanted)) return {};
  throw new TypeError(`${shown(text)} asks for ${shown(wanted)}, which is no range of versions; ${FORM}`);
}
