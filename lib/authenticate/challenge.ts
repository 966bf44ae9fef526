/**
 * Challenges: what the answer to a missing or a wrong proof says of how to do better. RFC 9110 section 11.6.1.
 *
 * @module
 */
import { shown } from "../request/options";

// RFC 9110 section 5.6.4, less what recipients read in different ways: octets that are no ASCII, and tabs.
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Writes a challenge: the scheme, and its parameters as quoted strings. */
export function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`);
  return `${scheme} ${pairs.join(", ")}`;
}

/** @throws TypeError for a realm that cannot stand in a header field. RFC 9110 section 11.5. */
export function checkRealm(realm: string): string {
  if (typeof realm === "string" && PRINTABLE.test(realm)) return realm;
  throw new TypeError(`realm: ${shown(realm)} is not a text of printable ASCII characters.`);
}
