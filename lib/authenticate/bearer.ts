/**
 * Authenticator: a shared token in the `Authorization` field (RFC 6750).
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import type { Pair } from "../request/delivery";
import { checkFunction, checkOptions, text } from "../request/options";
import type { Authenticator, AuthenticatorResult, WebhookRequest } from "./authenticator";
import { bearerScheme, isToken } from "./bearer-scheme";
import { AuthCredentials, SimpleUser } from "./credentials";
import { fingerprint } from "./fingerprint";
import { orUnavailable } from "./unavailable";

/** A token, and who has it. */
export type BearerToken = {
  readonly token: string | undefined;
  /** The sender's name. @defaultValue the authenticator's `name` */
  readonly name?: string | undefined;
  /** Scopes granted to the sender, besides those that the authenticator grants to all. @defaultValue `[]` */
  readonly scopes?: readonly string[] | undefined;
};

/** Tokens in a list, so that one can be replaced while the sender still uses the other. */
export type BearerTokens = readonly (string | BearerToken | undefined)[];

export type BearerAuthenticatorOptions = {
  /**
   * Tokens that are let in. A function is called with the request at each delivery: if it fails, the delivery is refused
   * with `ERR_WEBHOOK_KEYS` (503), and an empty list is a sender not known (401). Excludes `find`.
   */
  readonly tokens?: BearerTokens | ((request: WebhookRequest) => BearerTokens | Promise<BearerTokens>) | undefined;
  /**
   * Finds who has a token, where there are too many to list: look it up by a hash of it, which takes the same time whatever
   * it begins with. `null` or `undefined` is a token that is not known (401); if the function fails, the delivery is refused
   * with `ERR_WEBHOOK_KEYS` (503). Excludes `tokens`.
   */
  readonly find?:
    | ((
        token: string,
        request: WebhookRequest,
      ) => AuthenticatorResult | undefined | Promise<AuthenticatorResult | undefined>)
    | undefined;
  /**
   * The name of senders whose token has none of its own.
   *
   * @defaultValue `"bearer"`
   */
  readonly name?: string | undefined;
  /**
   * Scopes granted to each sender by `tokens`.
   *
   * @defaultValue `[]`
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * What the token is for, as the sender is told.
   *
   * @defaultValue `"webhook"`
   */
  readonly realm?: string | undefined;
};

const WORDS = ["tokens", "find", "name", "scopes", "realm"];
const NOT_KNOWN = "The token is not known.";
const ADVICE = {
  find: "The function in find has found nobody for it.",
  tokens: "Is the token that the sender was given in tokens?",
};

type Known = { readonly print: Buffer; readonly pair: Pair };

/**
 * Creates an authenticator for the Bearer scheme. Without a token it is 401, with a token that is not known 401
 * `invalid_token`, and with one that is malformed, sent twice or in the query 400 `invalid_request`. Tokens are compared in
 * constant time; no octet of the body is read.
 *
 * @throws TypeError at start, for a token that is missing, empty or could not be sent, and for any other wrong option.
 */
export function bearerAuthenticator(options: BearerAuthenticatorOptions): Authenticator {
  checkOptions("bearerAuthenticator", options, WORDS);
  const { tokens, find, realm = "webhook" } = options;
  if ((tokens === undefined) === (find === undefined)) {
    throw new TypeError(
      "bearerAuthenticator: nobody could be authenticated without tokens or find, and not with both.",
    );
  }
  const { tokenOf, invalid } = bearerScheme(realm);
  const search = find
    ? findPair(checkFunction("find", find))
    : comparePair(tokens as NonNullable<typeof tokens>, options);

  return async function bearerAuthenticator({ request }) {
    const token = tokenOf(request);
    const pair = await search(token, request);
    if (pair === null || pair === undefined) {
      throw Object.assign(invalid(NOT_KNOWN), { advice: ADVICE[find ? "find" : "tokens"] });
    }
    return pair;
  };
}

type Search = (
  token: string,
  request: WebhookRequest,
) => AuthenticatorResult | undefined | Promise<AuthenticatorResult | undefined>;

function findPair(find: Search): Search {
  return (token, request) => orUnavailable("The function in find has failed.", () => find(token, request));
}

function comparePair(
  tokens: NonNullable<BearerAuthenticatorOptions["tokens"]>,
  { name = "bearer", scopes }: BearerAuthenticatorOptions,
): Search {
  const defaults = { name: text("name", name), scopes: new AuthCredentials(scopes).scopes };
  if (typeof tokens === "function") {
    return async (token, request) => {
      const known = await orUnavailable("The function in tokens has failed.", async () => {
        return knownTokens(await tokens(request), defaults);
      });
      return match(token, known);
    };
  }
  const known = knownTokens(tokens, defaults);
  if (known.length === 0) throw new TypeError("tokens: the list is empty, so nobody could be authenticated.");
  return (token) => match(token, known);
}

/** Compares with each, so that the time tells neither which token was near, nor where in the list it stands. */
function match(token: string, known: readonly Known[]): Pair | undefined {
  const print = fingerprint(token);
  let found: Pair | undefined;
  for (const one of known) if (timingSafeEqual(print, one.print)) found = one.pair;
  return found;
}

function knownTokens(
  tokens: BearerTokens,
  defaults: { readonly name: string; readonly scopes: readonly string[] },
): readonly Known[] {
  if (!Array.isArray(tokens)) {
    throw new TypeError("tokens: it must be a list, such as [process.env.WEBHOOK_TOKEN], or a function.");
  }
  const seen = new Set<string>();
  return (tokens as BearerTokens).map((entry, index) => {
    const {
      token,
      name = defaults.name,
      scopes = [],
    } = typeof entry === "object" && entry !== null ? entry : { token: entry };
    const place = `tokens: number ${index + 1}`;
    if (typeof token !== "string" || token === "") {
      throw new TypeError(`${place} is ${token === "" ? "empty" : "missing"}; is its environment variable set?`);
    }
    if (!isToken(token)) {
      throw new TypeError(
        `${place} could not be sent: a token is made of A-Z a-z 0-9 - . _ ~ + / and ends in any "=".`,
      );
    }
    if (seen.has(token)) throw new TypeError(`${place} is there twice, so nobody could tell whose it is.`);
    seen.add(token);
    const credentials = new AuthCredentials([...new Set([...defaults.scopes, ...scopes])]);
    return { print: fingerprint(token), pair: [credentials, new SimpleUser(text("name", name))] };
  });
}
