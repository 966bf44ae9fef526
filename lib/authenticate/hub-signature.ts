/**
 * Authenticator: the body's HMAC in `X-Hub-Signature-256`, as GitHub and Meta send it.
 *
 * @module
 */
import { checkOptions, eitherOf } from "../request/options";
import type { Authenticator } from "./authenticator";
import { hmacAuthenticator, type HmacAuthenticatorOptions } from "./hmac";

export type HubSignatureAuthenticatorOptions = Pick<HmacAuthenticatorOptions, "secrets" | "name" | "scopes"> & {
  /**
   * The hash function. `"sha1"` reads `X-Hub-Signature` in the place of `X-Hub-Signature-256`: it is for senders that have
   * nothing better, and never tried unless it is asked for here.
   *
   * @defaultValue `"sha256"`
   */
  readonly algorithm?: "sha256" | "sha1" | undefined;
};

const WORDS = ["secrets", "name", "scopes", "algorithm"];
const HEADER = { sha256: "X-Hub-Signature-256", sha1: "X-Hub-Signature" } as const;

/**
 * Creates an authenticator for `X-Hub-Signature-256: sha256=...`. A field that is missing, malformed or sent twice is refused
 * before an octet of the body is read: 401, as is one that does not match.
 *
 * @throws TypeError at start, for a secret that is missing or empty, and for any other wrong option.
 */
export function hubSignatureAuthenticator(options: HubSignatureAuthenticatorOptions): Authenticator {
  checkOptions("hubSignatureAuthenticator", options, WORDS);
  const algorithm = eitherOf("algorithm", options.algorithm ?? "sha256", "sha256", "sha1");
  return hmacAuthenticator({ ...options, algorithm, header: HEADER[algorithm], prefix: `${algorithm}=` });
}
