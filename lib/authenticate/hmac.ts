/**
 * Authenticator: a keyed hash (HMAC, RFC 2104) of the body in a header field.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { cameTwice } from "../request/field-lines";
import { checkOptions, shown, text } from "../request/options";
import type { Authenticator } from "./authenticator";
import { AuthCredentials, SimpleUser } from "./credentials";
import { adviceOnForm, hmacMismatch } from "./hmac-mismatch";
import { isEqual } from "./is-equal";
import { secretKeys, type Secrets } from "./secrets";
import { signatureGrammar } from "./signature-form";
import { unauthorized } from "./unauthorized";

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
