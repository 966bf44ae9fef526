/**
 * Authenticator: a signed token (JWT, RFC 7519) in the `Authorization` field, verified by the issuer's public keys.
 *
 * It needs the package `jose`, an optional peer.
 *
 * @module
 */
import { checkOptions, text } from "../request/options";
import type { Authenticator } from "./authenticator";
import { bearerScheme } from "./bearer-scheme";
import { AuthCredentials, SimpleUser } from "./credentials";
import { jwtVerifier, type JwtClaims, type JwtVerifierOptions } from "./jwt-verifier";

export type { JwtClaims } from "./jwt-verifier";

/** A sender known by a token. */
export class JwtUser extends SimpleUser {
  /** What the token says. */
  readonly claims: JwtClaims;

  constructor(username: string, claims: JwtClaims) {
    super(username);
    this.claims = Object.freeze({ ...claims });
  }
}

export type JwtAuthenticatorOptions = JwtVerifierOptions & {
  /**
   * The claim that holds the sender's name.
   *
   * @defaultValue `"sub"`
   */
  readonly nameClaim?: string | undefined;
  /**
   * What the token is for, as the sender is told.
   *
   * @defaultValue `"webhook"`
   */
  readonly realm?: string | undefined;
};

const WORDS = [
  "issuer",
  "audience",
  "jwksUrl",
  "jwks",
  "algorithms",
  "toleranceSeconds",
  "maxAgeSeconds",
  "type",
  "cacheSeconds",
  "timeoutMs",
  "nameClaim",
  "realm",
];

const MALFORMED = "The token is not a signed JWT of a kind that is understood here.";

/** What the sender is told of each of `jose`'s errors that are the token's fault. Any other is ours. */
const WHY: ReadonlyMap<unknown, string> = new Map([
  ["ERR_JWS_INVALID", MALFORMED],
  ["ERR_JWT_INVALID", MALFORMED],
  ["ERR_JOSE_NOT_SUPPORTED", MALFORMED],
  ["ERR_JOSE_ALG_NOT_ALLOWED", "The algorithm of the token is not allowed."],
  ["ERR_JWKS_NO_MATCHING_KEY", "The key of the token is not known."],
  ["ERR_JWKS_MULTIPLE_MATCHING_KEYS", "The token must name its key (kid)."],
  ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "The signature of the token does not match."],
  ["ERR_JWT_EXPIRED", "The token has expired."],
]);

/**
 * Creates an authenticator for tokens that an identity provider signs. Issuer, audience, expiry and signature are checked;
 * the scopes are those of `scope` (RFC 9068) and `scp`. Without a token it is 401, with a wrong one 401 `invalid_token`, with
 * a malformed field 400 `invalid_request`, and if the issuer's keys cannot be had 503. No octet of the body is read.
 *
 * @throws TypeError at start, if `jose` is not installed, and for any wrong option.
 */
export function jwtAuthenticator(options: JwtAuthenticatorOptions): Authenticator {
  checkOptions("jwtAuthenticator", options, WORDS);
  const { realm = "webhook", ...rest } = options;
  const nameClaim = text("nameClaim", rest.nameClaim ?? "sub");
  const { tokenOf, invalid } = bearerScheme(realm);
  const verify = jwtVerifier(rest);

  return async function jwtAuthenticator({ request }) {
    const token = tokenOf(request);
    let claims: JwtClaims;
    try {
      claims = await verify(token);
    } catch (error) {
      const why = whyNot(error);
      if (why === undefined) throw error;
      throw invalid(why);
    }
    const name = claims[nameClaim];
    if (typeof name !== "string" || name === "") throw invalid(`The token has no ${nameClaim}.`);
    return [new AuthCredentials(scopesOf(claims)), new JwtUser(name, claims)];
  };
}

/** What the sender is told, if the fault is the token's. */
function whyNot(error: unknown): string | undefined {
  const { code, claim } = (error ?? {}) as { code?: unknown; claim?: unknown };
  // The claim's name is one that was asked for, and no text of the sender's.
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED") return `The token's ${String(claim)} is missing or not right.`;
  return WHY.get(code);
}

/** `scope` is a text of words (RFC 8693 section 4.2), `scp` that or a list, by the custom of some issuers. */
function scopesOf({ scope, scp }: JwtClaims): readonly string[] {
  const words = [scope, scp].flatMap((claim: unknown) => (typeof claim === "string" ? claim.split(" ") : claim));
  return [...new Set(words.filter((word): word is string => typeof word === "string" && word !== ""))];
}
