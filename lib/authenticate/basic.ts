/**
 * Authenticator: a user name and a password in the `Authorization` field (RFC 7617).
 *
 * @module
 */
import { cameTwice } from "../request/field-lines";
import { checkOptions, shown } from "../request/options";
import type { Authenticator, WebhookRequest } from "./authenticator";
import { CONTROL, directoryOf, type BasicUsers } from "./basic-users";
import { challenge, checkRealm } from "./challenge";
import { AuthCredentials } from "./credentials";
import { HTTPException } from "./http-exception";
import { boundedVerify, type PasswordVerifier, type VerifyPassword } from "./password";
import { verified } from "./verified";

export type { BasicAccount, BasicUser, BasicUsers } from "./basic-users";

export type BasicAuthenticatorOptions = {
  /**
   * Who may send, by hashes of their passwords. A function is called with the name and the request at each delivery: whom
   * it does not know is refused, and if it fails, the delivery is refused with `ERR_WEBHOOK_KEYS` (503).
   */
  readonly users: BasicUsers;
  /**
   * What the user name and the password are for, as the sender is told.
   *
   * @defaultValue `"webhook"`
   */
  readonly realm?: string | undefined;
  /**
   * Scopes granted to each user.
   *
   * @defaultValue `[]`
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * How long a right password is remembered, by its fingerprint, so that it is not hashed at each delivery, in seconds. A
   * hash that changes is heeded at once all the same. 0 is not at all.
   *
   * @defaultValue `300`
   */
  readonly cacheSeconds?: number | undefined;
  /**
   * Verifies hashes that are not scrypt's. If it fails, or has not settled after 10 seconds, the delivery is refused with
   * `ERR_WEBHOOK_KEYS` (503).
   *
   * @defaultValue the first installed of `bcrypt` and `bcryptjs`, of `argon2` and `@node-rs/argon2`
   */
  readonly verify?: VerifyPassword | undefined;
};

const WORDS = ["users", "realm", "scopes", "cacheSeconds", "verify"];
const MAX_REMEMBERED = 1000;

// RFC 9110 section 11.4: schemes in any case. RFC 4648 section 4: padded.
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Creates an authenticator for the Basic scheme. What is missing, malformed or sent twice is refused before any work is
 * done: 401, as is a name that is not known and a password that is not right, which take the same time. No octet of the
 * body is read.
 *
 * Verifying a password is slow on purpose, so no more than half of Node's threads do it at once; beyond 64 that wait, a
 * delivery is refused with `ERR_WEBHOOK_BUSY` (503).
 *
 * @throws TypeError at start, for a user without a hash, a hash of a form that nobody verifies, and any other wrong option.
 */
export function basicAuthenticator(options: BasicAuthenticatorOptions): Authenticator {
  checkOptions("basicAuthenticator", options, WORDS);
  const { users, realm = "webhook", cacheSeconds = 300 } = options;
  if (!Number.isFinite(cacheSeconds) || cacheSeconds < 0) {
    throw new TypeError(`cacheSeconds: ${shown(cacheSeconds)} is not a number of seconds from 0.`);
  }
  const headers = { "WWW-Authenticate": challenge("Basic", { realm: checkRealm(realm), charset: "UTF-8" }) };
  const { scopes } = new AuthCredentials(options.scopes);
  const verify = options.verify === undefined ? undefined : boundedVerify(options.verify);
  const directory = directoryOf(users, { scopes, verify });
  const isVerified = verified({ cacheSeconds, maxEntries: MAX_REMEMBERED });

  return async function basicAuthenticator({ request }) {
    const { name, password } = credentialsOf(request, headers);
    const account = await directory.find(name, request);
    // An unknown user costs what a known one does, so that nobody learns names from the time it takes.
    const { hashes, verifiers } = account ?? directory.standIn(name);
    const isRight = await isVerified([name, password, ...hashes], async () => {
      const isOneRight = await matchesAny(password, verifiers);
      return isOneRight && account !== undefined;
    });
    if (!account || !isRight) throw refused("The user name or the password is not right.", headers);
    return account.pair;
  };
}

type Headers = Readonly<Record<string, string>>;

/** Reads the field. What it refuses has cost nothing. */
function credentialsOf(
  request: WebhookRequest,
  headers: Headers,
): { readonly name: string; readonly password: string } {
  const field = request.headers.authorization;
  if (field === undefined || !/^basic(?: |$)/i.test(field)) {
    throw refused("A user name and a password are missing (Authorization: Basic).", headers);
  }
  const encoded = cameTwice(request, "authorization") ? undefined : BASIC.exec(field)?.[1];
  const pair = encoded === undefined ? undefined : decoded(encoded);
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon === -1 || CONTROL.test(pair)) {
    throw refused("Authorization must hold one user name and password, in Base64 of UTF-8.", headers);
  }
  return { name: pair.slice(0, colon).normalize("NFC"), password: pair.slice(colon + 1) };
}

/** Node decodes Base64 leniently, so what does not come out the same again is refused. */
function decoded(encoded: string): string | undefined {
  const octets = Buffer.from(encoded, "base64");
  if (octets.toString("base64") !== encoded) return undefined;
  try {
    return utf8.decode(octets);
  } catch {
    return undefined;
  }
}

async function matchesAny(password: string, verifiers: readonly PasswordVerifier[]): Promise<boolean> {
  for (const isRight of verifiers) if (await isRight(password)) return true;
  return false;
}

function refused(detail: string, headers: Headers): HTTPException {
  return new HTTPException(401, { detail, headers });
}
