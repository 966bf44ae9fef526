/**
 * The names that functions and message types of a library can have.
 *
 * @module
 */

const NAME = /^[A-Za-z0-9_.:/=+\-@ ]{3,80}$/;
const SYSTEM = "echo.";

/** Whether a name is one of the system's, which an app can neither define nor replace. */
export function isSystemName(name: unknown): boolean {
  return typeof name === "string" && name.startsWith(SYSTEM);
}

/** Why a name cannot be an app's, or `undefined` if it can. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string" || !NAME.test(name))
    return "a name has 3 to 80 characters, of A-Z a-z 0-9 _ . : / = + - @ and space";
  if (isSystemName(name)) return `names that begin with "${SYSTEM}" are the system's`;
  return undefined;
}
