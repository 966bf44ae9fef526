/**
 * `Content-Digest` (RFC 9530): a hash of the octets as sent, content codings not undone.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { AuthenticatorArguments } from "../authenticate/authenticator";
import { isEqual } from "../authenticate/is-equal";
import { oneField, unauthorized } from "./facts";
import { strictDictionary } from "./structured-fields";

/** RFC 9530 section 5: the algorithms that are still good for anything. */
const ALGORITHMS: ReadonlyMap<string, { readonly hash: string; readonly octets: number }> = new Map([
  ["sha-256", { hash: "sha256", octets: 32 }],
  ["sha-512", { hash: "sha512", octets: 64 }],
]);

/**
 * Reads the field, and returns a function that holds the body to it. All digests of known algorithms must match; one of
 * them has to be there.
 *
 * @throws HTTPException 401 for a field that is missing, malformed, sent twice, or has no digest of a known algorithm.
 */
export function contentDigest({ request, body }: AuthenticatorArguments): () => Promise<void> {
  const members = strictDictionary(oneField(request, "Content-Digest"));
  if (!members) throw unauthorized("Content-Digest is malformed.");
  const digests = [...members].flatMap(([name, [value, parameters]]) => {
    const algorithm = ALGORITHMS.get(name);
    if (!algorithm) return [];
    if (value instanceof ArrayBuffer && value.byteLength === algorithm.octets && parameters.size === 0) {
      return [{ ...algorithm, digest: Buffer.from(value) }];
    }
    throw unauthorized(`Content-Digest has no ${name} of ${algorithm.octets} octets.`);
  });
  if (digests.length === 0) throw unauthorized("Content-Digest has neither sha-256 nor sha-512.");

  return async function checkContentDigest() {
    const octets = await body.encoded();
    if (digests.every(({ hash, digest }) => isEqual(digest, createHash(hash).update(octets).digest()))) return;
    throw unauthorized(
      "Content-Digest does not match the body.",
      "It covers the octets as sent: after the content coding, before any proxy undoes it.",
    );
  };
}
