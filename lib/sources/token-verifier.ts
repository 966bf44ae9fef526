/**
 * Verifies deliveries by a token that comes with each: it says who may send, and proves nothing of what was sent.
 *
 * @module
 */
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { fingerprint } from "../authenticate/fingerprint";
import { checkOptions } from "../request/options";
import type { Verify } from "./define-source";
import { oneField, unauthorized } from "./facts";

export type TokenVerifierOptions = {
  /** The header field that holds the token. */
  readonly field: string;
  /** Tokens that are let in, or a function that finds them, as with secrets. */
  readonly tokens: Secrets;
};

/**
 * Creates a verifier that compares in constant time, and before an octet of the body is read.
 *
 * @throws TypeError at start, for a token that is missing or empty.
 */
export function tokenVerifier(options: TokenVerifierOptions): Verify {
  checkOptions("tokenVerifier", options, ["field", "tokens"]);
  const { field, tokens } = options;
  const tokensOf = secretKeys(tokens, "tokens");

  return async function verifyToken({ request }) {
    // Node reads the octets of header fields as ISO 8859-1.
    const proof = fingerprint(oneField(request, field));
    const known = await tokensOf(request);
    const isKnown = known.some((token) => isEqual(proof, fingerprint(Buffer.from(token as string).toString("latin1"))));
    if (!isKnown) throw unauthorized(`${field} does not match.`);
  };
}
