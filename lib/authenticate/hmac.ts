/**
 * Authenticator: a keyed hash (HMAC, RFC 2104) of the body in a header field.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { retryAfter, WebhookError } from "../errors";
import { cameTwice } from "../request/field-lines";
import { checkOptions, shown, text } from "../request/options";
import type { Authenticator, WebhookRequest } from "./authenticator";
import { AuthCredentials, SimpleUser } from "./credentials";
import { adviceOnForm, hmacMismatch } from "./hmac-mismatch";
import { HTTPException } from "./http-exception";
import { isEqual } from "./is-equal";

/** Secrets in a list, so that one can be replaced while the sender still uses the other; or a function that finds them. */
export type Secrets =
  | readonly (string | Buffer | undefined)[]
  | ((request: WebhookRequest) => readonly (string | Buffer)[] | Promise<readonly (string | Buffer)[]>);

export type HmacAuthenticatorOptions = {
  /** The header field that holds the signature: `X-Hub-Signature-256`. */
  readonly header: string;
  /**
   * Secrets shared with the sender; any of them may have signed. A function is called with the request at each delivery:
   * if it fails, the delivery is refused with `ERR_WEBHOOK_KEYS` (503), and an empty list is a sender not known (401).
   */
  readonly secrets: Secrets;
  /**
   * The sender's name.
   *
   * @defaultValue the name of the header field
   */
  readonly name?: string | undefined;
  /**
   * Scopes granted to a sender whose signature is right.
   *
   * @defaultValue `[]`
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * What stands before the signature: `sha256=`.
   *
   * @defaultValue `""`
   */
  readonly prefix?: string | undefined;
  /**
   * The hash function.
   *
   * @defaultValue `"sha256"`
   */
  readonly algorithm?: "sha256" | "sha384" | "sha512" | "sha1" | undefined;
  /**
   * How the octets of the signature are written.
   *
   * @defaultValue `"hex"`
   */
  readonly encoding?: "hex" | "base64" | undefined;
};

const WORDS = ["header", "secrets", "name", "scopes", "prefix", "algorithm", "encoding"];
const OCTETS = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;
/** RFC 4648 section 3.5: the bits to spare behind no, one or two octets are zero, so that a signature is written in one way. */
const LAST_DIGITS = ["A-Za-z0-9+/", "AQgw", "AEIMQUYcgkosw048"];
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // RFC 9110 section 5.1

/**
 * Creates an authenticator that compares the body's HMAC with the one in a header field, in constant time. A field that is
 * missing, malformed or sent twice is refused before an octet of the body is read: 401, as is one that does not match.
 *
 * @throws TypeError at start, for a secret that is missing or empty, and for any other wrong option.
 */
export function hmacAuthenticator(options: HmacAuthenticatorOptions): Authenticator {
  checkOptions("hmacAuthenticator", options, WORDS);
  const { header, secrets, prefix = "", algorithm = "sha256", encoding = "hex" } = options;
  if (!FIELD_NAME.test(text("header", header))) throw new TypeError(`header: ${shown(header)} is not a field name.`);
  if (!Object.hasOwn(OCTETS, algorithm)) {
    throw new TypeError(`algorithm: ${shown(algorithm)} is not one of ${Object.keys(OCTETS).join(", ")}.`);
  }
  if (typeof prefix !== "string") throw new TypeError(`prefix: ${shown(prefix)} is not a text.`);
  const field = header.toLowerCase();
  const grammar = signatureGrammar(prefix, encoding, OCTETS[algorithm]);
  const keysOf = secretKeys(secrets);
  const pair = [new AuthCredentials(options.scopes), new SimpleUser(text("name", options.name ?? header))] as const;

  return async function hmacAuthenticator(args) {
    const { request, body } = args;
    const value = cameTwice(request, field) ? undefined : (request.headers[field]?.toString() ?? "");
    const found = value === undefined ? null : grammar.exec(value);
    if (!found?.[1]) {
      const detail = `${header} must hold one ${algorithm} signature in ${encoding}.`;
      const written = value?.startsWith(prefix) ? value.slice(prefix.length) : value;
      throw unauthorized(detail, written === undefined ? "It was sent more than once." : adviceOnForm(written));
    }
    const proof = Buffer.from(found[1], encoding);
    const keys = await keysOf(request);
    const octets = await body.bytes();
    const isProven = keys.some((key) => isEqual(proof, createHmac(algorithm, key).update(octets).digest()));
    if (isProven) return pair;
    throw hmacMismatch({
      detail: `${header} does not match the body.`,
      args,
      algorithm,
      encoding,
      secretsOf: keysOf,
      keyOf: (secret) => secret,
      signed: { signatures: [found[1]] },
    });
  };
}

/**
 * The form of a signature, held to before it is decoded: Node decodes hex and base64 leniently, so that junk behind a good
 * signature would pass.
 */
export function signatureGrammar(prefix: string, encoding: "hex" | "base64", octets: number): RegExp {
  const literal = prefix.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (encoding === "hex") return new RegExp(`^${literal}([0-9a-f]{${octets * 2}})$`);
  if (encoding !== "base64") throw new TypeError(`encoding: ${shown(encoding)} is neither "hex" nor "base64".`);
  // RFC 4648 section 4: whole groups of three octets, then one or two octets padded.
  const digits = Math.ceil((octets * 4) / 3);
  const lastDigits = LAST_DIGITS[octets % 3] as string;
  return new RegExp(`^${literal}([A-Za-z0-9+/]{${digits - 1}}[${lastDigits}]={${(4 - (digits % 4)) % 4}})$`);
}

type KeysOf = (request: WebhookRequest) => readonly (string | Buffer)[] | Promise<readonly (string | Buffer)[]>;

/** Checks secrets at start, or those that a function finds at each call. `word` is the option that they come from. */
export function secretKeys(secrets: Secrets, word = "secrets"): KeysOf {
  if (typeof secrets === "function") {
    return async function findSecrets(request) {
      let found;
      try {
        found = await secrets(request);
      } catch (cause) {
        throw new WebhookError("ERR_WEBHOOK_KEYS", "The delivery could not be verified now; send it again.", {
          headers: retryAfter(),
          advice: `The function in ${word} has failed.`,
          cause,
        });
      }
      return Array.isArray(found) && found.length === 0 ? found : checkSecrets(found, word);
    };
  }
  const keys = checkSecrets(secrets, word);
  return () => keys;
}

function checkSecrets(secrets: readonly (string | Buffer | undefined)[], word: string): readonly (string | Buffer)[] {
  if (!Array.isArray(secrets))
    throw new TypeError(`${word}: it must be a list, such as [process.env.WEBHOOK_SECRET], or a function.`);
  if (secrets.length === 0) throw new TypeError(`${word}: the list is empty, so nobody could be authenticated.`);
  return secrets.map((secret: unknown, index) => {
    const isText = typeof secret === "string" || Buffer.isBuffer(secret);
    if (isText && secret.length > 0) return secret;
    throw new TypeError(
      `${word}: number ${index + 1} is ${isText ? "empty" : "missing"}; is its environment variable set?`,
    );
  });
}

/** A missing or malformed proof. The advice is for the log of whoever runs the node. */
function unauthorized(detail: string, advice: string | undefined): HTTPException {
  return Object.assign(new HTTPException(401, { detail }), { advice });
}
