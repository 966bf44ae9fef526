/**
 * Verifies deliveries signed with a provider's private key: Ed25519 (RFC 8032), ECDSA and RSA.
 *
 * @module
 */
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import type { AuthenticatorArguments } from "../authenticate/authenticator";
import { checkOptions } from "../request/options";
import type { Verify } from "./define-source";
import { unauthorized } from "./facts";
import type { Signed } from "../authenticate/signed";

export type PublicKeyVerifierOptions = {
  /** The provider's keys, or a function that finds them: it throws a `WebhookError` `ERR_WEBHOOK_KEYS` where it cannot. */
  readonly keys: readonly KeyObject[] | ((args: AuthenticatorArguments) => Promise<readonly KeyObject[]>);
  /** The hash function. Ed25519 has its own: `null`. */
  readonly algorithm: "sha256" | "sha1" | null;
  /** Decodes a signature that is held to its form, or returns `undefined`. */
  readonly decode: (signature: string) => Buffer | undefined;
  /** How the two numbers of an ECDSA signature are written. @defaultValue `"der"` */
  readonly dsaEncoding?: "der" | "ieee-p1363" | undefined;
  readonly signed: (args: AuthenticatorArguments) => Signed;
};

const WORDS = ["keys", "algorithm", "decode", "dsaEncoding", "signed"];
/** Each signature may cost a tenth of a millisecond for each key: a field full of them is refused. */
const MOST_PROOFS = 16;

/** Creates a verifier. The header fields are read first: what they lack is refused before an octet of the body is read. */
export function publicKeyVerifier(options: PublicKeyVerifierOptions): Verify {
  checkOptions("publicKeyVerifier", options, WORDS);
  const { keys, algorithm, decode, dsaEncoding = "der", signed } = options;

  return async function verifyPublicKey(args) {
    const { signatures, before = "", after = "" } = signed(args);
    const proofs = signatures.flatMap((signature) => decode(signature) ?? []);
    if (proofs.length === 0) throw unauthorized("The signature is malformed.");
    if (proofs.length > MOST_PROOFS) throw unauthorized(`There are more than ${MOST_PROOFS} signatures.`);
    const candidates = typeof keys === "function" ? await keys(args) : keys;
    const octets = await args.body.bytes();
    const content = Buffer.concat([Buffer.from(before), octets, Buffer.from(after)]);
    const isProven = candidates.some((key) =>
      proofs.some((proof) => verify(algorithm, content, { key, dsaEncoding }, proof)),
    );
    if (!isProven) throw unauthorized("The signature does not match.");
  };
}

/** The public key of 32 raw octets of Ed25519 (RFC 8410 section 4). @throws TypeError for another number of octets. */
export function ed25519Key(raw: Buffer): KeyObject {
  if (raw.length !== 32) throw new TypeError(`publicKeys: an Ed25519 key has 32 octets, and this one ${raw.length}.`);
  const x = raw.toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
}
