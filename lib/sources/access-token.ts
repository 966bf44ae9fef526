/**
 * Verifies deliveries by a token that the sender was given, in `Authorization: Bearer` (RFC 6750) or in the query: it says who
 * may send, and proves nothing of what was sent.
 *
 * @module
 */
import { fingerprint } from "../authenticate/fingerprint";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { shown } from "../request/options";
import type { Verify } from "./define-source";
import { optionalField, unauthorized } from "./facts";
import { queryOf } from "./url";

/** Who may send to a source whose provider signs nothing. */
export type AccessTokenOptions = {
  /** Tokens that the sender was given; each delivery has to bring one of them. Excludes `anonymous`. */
  readonly tokens?: Secrets | undefined;
  /**
   * Lets in whoever sends, without `tokens`: where `allOf` puts another check behind the source, such as `jwtAuthenticator`,
   * or where no stranger can reach the node.
   */
  readonly anonymous?: "accept" | undefined;
};

// RFC 6750 section 2.1, the scheme in any case (RFC 9110 section 11.1).
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Creates a verifier that compares in constant time, and before an octet of the body is read. Where the query has the
 * parameter, the field does not count.
 *
 * @throws TypeError at start, without tokens and without `anonymous`, with both, and for a token that is missing or empty.
 */
export function accessTokenVerifier(source: string, parameter: string, options: AccessTokenOptions): Verify {
  const { tokens, anonymous } = options;
  if (anonymous !== undefined && (anonymous !== "accept" || tokens !== undefined)) {
    throw new TypeError(`${source}: anonymous: ${shown(anonymous)} is not "accept", or stands beside tokens.`);
  }
  if (anonymous) return () => {};
  if (tokens === undefined)
    throw new TypeError(`${source}: it needs tokens, or anonymous: "accept" to let in anybody.`);
  const tokensOf = secretKeys(tokens, "tokens");

  return async function verifyAccessToken({ request }) {
    const [inQuery, ...others] = new URLSearchParams(queryOf(request)).getAll(parameter);
    if (others.length > 0) throw unauthorized(`The query has ${parameter} more than once.`);
    const proof = inQuery ?? BEARER.exec(optionalField(request, "Authorization") ?? "")?.[1];
    if (!proof) throw unauthorized(`A token is missing: Authorization: Bearer, or ${parameter} in the query.`);
    const print = fingerprint(proof);
    const known = await tokensOf(request);
    const isKnown = known.filter((token) => isEqual(print, fingerprint(token.toString()))).length > 0;
    if (!isKnown) throw unauthorized("The token is not known.", "Is the token that the sender was given in tokens?");
  };
}
