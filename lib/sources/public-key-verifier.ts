/**
 * Verifies deliveries signed with a provider's private key: Ed25519 (RFC 8032), ECDSA and RSA.
 *
 * @module
 */
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import type { AuthenticatorArguments } from "../authenticate/authenticator";
import type { Explain } from "../authenticate/diagnose";
import { explainMismatch } from "../authenticate/explain";
import type { Signed } from "../authenticate/signed";
import { checkOptions } from "../request/options";
import type { Verify } from "./define-source";
import { unauthorized } from "./facts";

export type PublicKeyVerifierOptions = {
  /** The provider's keys, or a function that finds them: it throws a `WebhookError` `ERR_WEBHOOK_KEYS` where it cannot. */
  readonly keys: readonly KeyObject[] | ((args: AuthenticatorArguments) => Promise<readonly KeyObject[]>);
  /** The hash function. Ed25519 has its own: `null`. */
  readonly algorithm: "sha256" | "sha1" | null;
  /** Decodes a signature that is held to its form, or returns `undefined`. */
  readonly decode: (signature: string) => Buffer | undefined;
  /** How the two numbers of an ECDSA signature are written. @defaultValue `"der"` */
  readonly dsaEncoding?: DsaEncoding | undefined;
  readonly signed: (args: AuthenticatorArguments) => Signed;
};

type DsaEncoding = "der" | "ieee-p1363";

const DSA_ENCODINGS = [
  ["der", "in DER"],
  ["ieee-p1363", "side by side, as IEEE P1363 has it"],
] as const;
const ADVICE = "Either it was signed with another key, or the body is not as it was signed.";
const WORDS = ["keys", "algorithm", "decode", "dsaEncoding", "signed"];
/** Each signature may cost a tenth of a millisecond for each key: a field full of them is refused. */
const MOST_PROOFS = 16;

/** Creates a verifier. The header fields are read first: what they lack is refused before an octet of the body is read. */
export function publicKeyVerifier(options: PublicKeyVerifierOptions): Verify {
  checkOptions("publicKeyVerifier", options, WORDS);
  const { keys, algorithm, decode, dsaEncoding = "der", signed } = options;

  return async function verifyPublicKey(args) {
    const content = signed(args);
    const { signatures } = content;
    const proofs = signatures.flatMap((signature) => decode(signature) ?? []);
    if (proofs.length === 0) throw unauthorized("The signature is malformed.");
    if (proofs.length > MOST_PROOFS) throw unauthorized(`There are more than ${MOST_PROOFS} signatures.`);
    const candidates = typeof keys === "function" ? await keys(args) : keys;
    const octets = await args.body.bytes();
    const fits = (key: KeyObject, body: Buffer, { before = "", after = "" }: Signed, form: DsaEncoding): boolean =>
      proofs.some((proof) =>
        verify(
          algorithm,
          Buffer.concat([Buffer.from(before), body, Buffer.from(after)]),
          { key, dsaEncoding: form },
          proof,
        ),
      );
    if (candidates.some((key) => fits(key, octets, content, dsaEncoding))) return;
    const explain: Explain = () =>
      explainMismatch({
        octets,
        keys: candidates.map((value) => ({ value, why: "" })),
        signed: [{ value: content, why: "" }, ...(content.others?.() ?? [])],
        forms: DSA_ENCODINGS.map(([value, name]) => ({
          value,
          why: value === dsaEncoding ? "" : `The two numbers of the signature are written ${name}.`,
        })),
        fits,
      });
    throw Object.assign(unauthorized("The signature does not match.", ADVICE), { explain });
  };
}

/** The public key of 32 raw octets of Ed25519 (RFC 8410 section 4). @throws TypeError for another number of octets. */
export function ed25519Key(raw: Buffer): KeyObject {
  if (raw.length !== 32) throw new TypeError(`publicKeys: an Ed25519 key has 32 octets, and this one ${raw.length}.`);
  const x = raw.toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
}
