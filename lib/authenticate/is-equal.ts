/**
 * The one comparison of secrets and proofs.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";

/** Whether two values hold the same octets, told in a time that does not depend on where they differ. */
export function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
