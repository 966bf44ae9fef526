/**
 * Header fields of a delivery that go on to a broker by their own names.
 *
 * @module
 */
import type { Message } from "../message";

/** RFC 9110 section 5.5: what no field value holds, and what would end a header of a broker. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\uffff]/;

/**
 * The fields of a message, without those whose name means something to the broker (a sender must not set it), and without
 * values that are none.
 */
export function carriedFields({ fields }: Message, isReserved: (name: string) => boolean): [string, string][] {
  return Object.entries(fields).filter(([name, value]) => !isReserved(name) && !FORBIDDEN.test(value));
}
