/**
 * Verifies deliveries signed with a shared secret (HMAC, RFC 2104): what most providers do, each with its own form.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import { createHmac } from "node:crypto";
import type { AuthenticatorArguments, WebhookRequest } from "../authenticate/authenticator";
import { adviceOnForm, hmacMismatch } from "../authenticate/hmac-mismatch";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { signatureGrammar } from "../authenticate/signature-form";
import { isEqual } from "../authenticate/is-equal";
import { checkOptions } from "../request/options";
import type { Verify } from "./define-source";
import { unauthorized } from "./facts";
import type { Signed } from "../authenticate/signed";

export type HmacVerifierOptions = {
  /** The name of the source, for diagnostics. */
  readonly source: string;
  readonly secrets: Secrets;
  /** Makes the key of a secret, where it is not the secret's own text. It throws a `TypeError` for a secret that is none. */
  readonly keyOf?: ((secret: string | Buffer) => string | Buffer) | undefined;
  /** @defaultValue `"sha256"` */
  readonly algorithm?: "sha256" | "sha1" | "sha512" | undefined;
  /** @defaultValue `"hex"`, in lower case */
  readonly encoding?: "hex" | "base64" | undefined;
  /** Reads the header fields, and throws where a proof is missing or malformed: before an octet of the body is read. */
  readonly signed: (args: AuthenticatorArguments) => Signed;
  /** Told which key has matched, where an answer has to be signed with the same one. */
  readonly onMatch?: ((request: WebhookRequest, key: string | Buffer) => void) | undefined;
};

/** Which secret of a list has signed, never the secret itself. Published as `express-webhook-node:secret`. */
export type SecretUse = {
  readonly source: string;
  /** The place of the secret in the list, from 0. One that is not seen for long can be retired. */
  readonly index: number;
  /** How many secrets the list has. */
  readonly of: number;
};

const secretUses = channel("express-webhook-node:secret");
const WORDS = ["source", "secrets", "keyOf", "algorithm", "encoding", "signed", "onMatch"];
const OCTETS = { sha1: 20, sha256: 32, sha512: 64 } as const;

/**
 * Creates a verifier that hashes the octets while they arrive, once for each secret, and compares in constant time.
 *
 * @throws TypeError at start, for a secret that is missing, empty or malformed.
 */
export function hmacVerifier(options: HmacVerifierOptions): Verify {
  checkOptions("hmacVerifier", options, WORDS);
  const { source, signed, onMatch, algorithm = "sha256", encoding = "hex" } = options;
  const secretsOf = secretKeys(options.secrets);
  const keyOf = options.keyOf ?? ((secret) => secret);
  const keysOf = keyFinder(options.secrets, secretsOf, keyOf);
  const decode = signatureDecoder(encoding, OCTETS[algorithm]);

  return async function verifyHmac(args) {
    const content = signed(args);
    const { signatures, before = "", after = "" } = content;
    const proofs = signatures.flatMap((signature) => decode(signature) ?? []);
    if (proofs.length === 0)
      throw unauthorized(`The signature is not ${algorithm} in ${encoding}.`, adviceOnForm(signatures[0] ?? ""));

    const keys = await keysOf(args.request);
    const hashes = keys.map((key) => createHmac(algorithm, key).update(before));
    await args.body.each((octets) => hashes.forEach((hash) => hash.update(octets)));
    const index = matching(hashes, after, proofs);
    if (index === -1) {
      const detail = "The signature does not match.";
      throw hmacMismatch({ detail, args, algorithm, encoding, secretsOf, keyOf, signed: content });
    }
    if (secretUses.hasSubscribers) secretUses.publish({ source, index, of: keys.length } satisfies SecretUse);
    onMatch?.(args.request, keys[index] as string | Buffer);
  };
}

type Keys = readonly (string | Buffer)[];
type Hash = ReturnType<typeof createHmac>;

/** Makes keys of secrets: at start of those in a list, at each delivery of those that a function finds. */
function keyFinder(
  secrets: Secrets,
  secretsOf: (request: WebhookRequest) => Keys | Promise<Keys>,
  keyOf: (secret: string | Buffer) => string | Buffer,
): (request: WebhookRequest) => Keys | Promise<Keys> {
  if (typeof secrets === "function") return async (request) => (await secretsOf(request)).map(keyOf);
  const keys = (secrets as Keys).map(keyOf);
  return () => keys;
}

function matching(hashes: readonly Hash[], after: string, proofs: readonly Buffer[]): number {
  return hashes.findIndex((hash) => {
    const digest = hash.update(after).digest();
    return proofs.some((proof) => isEqual(proof, digest));
  });
}

/**
 * Makes a decoder that holds a signature to its form first, as `signatureGrammar` says why. It returns `undefined` for any
 * other form.
 */
export function signatureDecoder(encoding: "hex" | "base64", octets: number): (text: string) => Buffer | undefined {
  const grammar = signatureGrammar("", encoding, octets);
  return (text) => (grammar.test(text) ? Buffer.from(text, encoding) : undefined);
}
