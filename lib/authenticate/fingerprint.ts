/**
 * Fingerprints: stand-ins for secrets, to compare and to look up by, which nobody outside this process can make.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";

const processKey = randomBytes(32);

/**
 * A keyed hash of a text, in 32 octets. All are equally long, so that comparing two in constant time tells nothing of the
 * length of what they stand for; and without the key nobody can find a text whose fingerprint begins like another's.
 */
export function fingerprint(text: string): Buffer {
  return createHmac("sha256", processKey).update(text).digest();
}
