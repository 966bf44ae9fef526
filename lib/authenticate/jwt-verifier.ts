/**
 * Verifies signed tokens (JWT, RFC 7519) by the public keys of their issuer, with the package `jose`, an optional peer.
 *
 * @module
 */
import { positiveInteger, shown, text } from "../request/options";
import { checkJwksUrl, fetchKeys } from "./jwks";
import { unavailable } from "./unavailable";

/** What a token says, once it is verified. */
export type JwtClaims = Readonly<Record<string, unknown>>;

export type JwtVerifierOptions = {
  /** Who has to have issued the token (`iss`): one of these. */
  readonly issuer: string | readonly string[];
  /** Whom the token has to be for (`aud`): one of these. */
  readonly audience: string | readonly string[];
  /**
   * Where the issuer has its public keys: an https URL. They are fetched when first needed, once for all who wait, and kept
   * for `cacheSeconds`; a key that is not among them has them fetched again, every 10 seconds at most. If they cannot be
   * had, the delivery is refused with `ERR_WEBHOOK_KEYS` (503). Excludes `jwks`.
   */
  readonly jwksUrl?: string | URL | undefined;
  /** The public keys themselves, as RFC 7517 section 5 writes them. Excludes `jwksUrl`. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined;
  /**
   * Signature algorithms that are let in. None of them takes a shared secret, and never `none`.
   *
   * @defaultValue `["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]`
   */
  readonly algorithms?: readonly string[] | undefined;
  /**
   * How far the issuer's clock may be from ours, in seconds.
   *
   * @defaultValue `30`
   */
  readonly toleranceSeconds?: number | undefined;
  /**
   * How old a token may be (`iat`), in seconds, however long it says that it holds.
   *
   * @defaultValue no bound but the token's own `exp`, which it must have
   */
  readonly maxAgeSeconds?: number | undefined;
  /**
   * The type that the token has to have (`typ`), such as `"at+jwt"` (RFC 9068).
   *
   * @defaultValue any
   */
  readonly type?: string | undefined;
  /**
   * How long fetched keys are used, in seconds.
   *
   * @defaultValue `600`
   */
  readonly cacheSeconds?: number | undefined;
  /**
   * How long fetching them may take, in milliseconds.
   *
   * @defaultValue `3000`
   */
  readonly timeoutMs?: number | undefined;
};

/** The claims of a token. Rejects with an error of `jose`'s for one that is not good, with `ERR_WEBHOOK_KEYS` without keys. */
export type JwtVerifier = (token: string) => Promise<JwtClaims>;

// RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2: those whose keys are pairs.
const ALGORITHMS = "ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512".split(" ");

/** How long after a fetch a key that is not in the set is not looked for again. */
const COOLDOWN_MS = 10_000;

const loadJose = () => import("jose");
type Jose = Awaited<ReturnType<typeof loadJose>>;
type LocalKeys = ReturnType<Jose["createLocalJWKSet"]>;
type GetKey = (...args: Parameters<LocalKeys>) => ReturnType<LocalKeys>;

/**
 * Creates a verifier. `jose` is loaded, and keys are fetched, when the first token comes.
 *
 * @throws TypeError at start, if `jose` is not installed, and for any wrong option.
 */
export function jwtVerifier(options: JwtVerifierOptions): JwtVerifier {
  const { jwksUrl, jwks, cacheSeconds = 600, timeoutMs = 3000, maxAgeSeconds, type } = options;
  const { toleranceSeconds = 30 } = options;
  if ((jwksUrl === undefined) === (jwks === undefined)) {
    throw new TypeError("jwtAuthenticator: nothing could be verified without jwksUrl or jwks, and not with both.");
  }
  if (!Number.isFinite(toleranceSeconds) || toleranceSeconds < 0) {
    throw new TypeError(`toleranceSeconds: ${shown(toleranceSeconds)} is not a number of seconds from 0.`);
  }
  const checks = {
    issuer: textList("issuer", options.issuer),
    audience: textList("audience", options.audience),
    algorithms: checkAlgorithms(options.algorithms),
    clockTolerance: toleranceSeconds,
    // A token without an end would be good for ever.
    requiredClaims: ["exp"],
    ...(maxAgeSeconds !== undefined && { maxTokenAge: positiveInteger("maxAgeSeconds", maxAgeSeconds) }),
    ...(type !== undefined && { typ: text("type", type) }),
  };
  const remote = {
    cacheMaxAge: positiveInteger("cacheSeconds", cacheSeconds) * 1000,
    timeoutDuration: positiveInteger("timeoutMs", timeoutMs),
    cooldownDuration: COOLDOWN_MS,
  };
  const url = jwksUrl === undefined ? undefined : checkJwksUrl(jwksUrl);
  const set = jwks && checkJwks(jwks);
  checkInstalled();

  const prepare = async (): Promise<JwtVerifier> => {
    const jose = await loadJose();
    const getKey: GetKey = url
      ? remoteKeys(jose.createRemoteJWKSet(url, { ...remote, [jose.customFetch]: fetchKeys() }))
      : jose.createLocalJWKSet(set as Parameters<Jose["createLocalJWKSet"]>[0]);
    return async (token) => (await jose.jwtVerify(token, getKey, checks)).payload;
  };
  let prepared: Promise<JwtVerifier> | undefined;
  return async function verifyJwt(token) {
    const verify = await (prepared ??= prepare());
    return verify(token);
  };
}

/** Tells a token that names no key of the set from a set that could not be had. */
function remoteKeys(getKey: GetKey): GetKey {
  return async function remoteKeys(header, token) {
    try {
      return await getKey(header, token);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "ERR_JWKS_NO_MATCHING_KEY" || code === "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
      throw unavailable("The keys of the issuer could not be had from jwksUrl.", error);
    }
  };
}

function checkAlgorithms(algorithms: readonly string[] = ALGORITHMS): string[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new TypeError("algorithms: it must be a list of at least one, or no token could pass.");
  }
  return (algorithms as readonly string[]).map((algorithm) => {
    if (ALGORITHMS.includes(algorithm)) return algorithm;
    throw new TypeError(`algorithms: ${shown(algorithm)} is not one of ${ALGORITHMS.join(", ")}.`);
  });
}

function checkJwks(jwks: NonNullable<JwtVerifierOptions["jwks"]>): unknown {
  const { keys } = jwks as { readonly keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError("jwks: it has no keys.");
  for (const key of keys as readonly unknown[]) {
    // RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1: the members that are secret.
    const { d, k } = (key ?? {}) as { d?: unknown; k?: unknown };
    if (d !== undefined || k !== undefined)
      throw new TypeError("jwks: one of its keys is secret; take the public one.");
  }
  return structuredClone(jwks);
}

function textList(option: string, value: string | readonly string[]): string[] {
  const list: readonly string[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new TypeError(`${option}: the list is empty, so no token could pass.`);
  return list.map((one) => text(option, one));
}

function checkInstalled(): void {
  try {
    require.resolve("jose");
  } catch {
    throw new TypeError("jwtAuthenticator: it needs the package jose: npm install jose");
  }
}
