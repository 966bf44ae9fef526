/**
 * Keys of HTTP message signatures, each with the one algorithm that it signs by (RFC 9421 section 3.3).
 *
 * @module
 */
import { constants, createHmac, createPublicKey, KeyObject, verify } from "node:crypto";
import type { WebhookRequest } from "../authenticate/authenticator";
import { isEqual } from "../authenticate/is-equal";
import { orUnavailable } from "../authenticate/unavailable";
import { shown } from "../request/options";

export type SignatureAlgorithm = "ed25519" | "hmac-sha256" | "ecdsa-p256-sha256" | "rsa-pss-sha512" | "rsa-v1_5-sha256";

export type SignatureKey = {
  /** The `keyid` of its signatures. A key without one is tried for all of them. */
  readonly id?: string | undefined;
  readonly algorithm: SignatureAlgorithm;
  /** The shared secret for `hmac-sha256` (octets that are written in base64 are to be decoded); else a public key in PEM. */
  readonly key: string | Buffer | KeyObject;
};

/** What a signature says of its key, not verified yet. */
export type SignatureKeyHint = {
  readonly keyid?: string | undefined;
  readonly alg?: string | undefined;
  readonly tag?: string | undefined;
};

/** Keys in a list, so that one can be replaced while the sender still uses the other; or a function that finds them. */
export type SignatureKeys =
  | readonly (SignatureKey | undefined)[]
  | ((request: WebhookRequest, hint: SignatureKeyHint) => readonly SignatureKey[] | Promise<readonly SignatureKey[]>);

/** A key that is ready. */
export type VerifyingKey = {
  readonly id: string | undefined;
  readonly algorithm: SignatureAlgorithm;
  readonly verify: (content: Buffer, proof: Buffer) => boolean;
};

type Scheme = {
  /** What a key has to be. */
  readonly form: string;
  readonly isOf: (key: KeyObject) => boolean;
  readonly verify: (key: KeyObject, content: Buffer, proof: Buffer) => boolean;
};
const IN_PEM = "in PEM (-----BEGIN PUBLIC KEY-----), or a KeyObject";
const RSA = `an RSA key of 2048 bits or more ${IN_PEM}`;
const isRsa = (key: KeyObject): boolean =>
  key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
const SCHEMES: ReadonlyMap<unknown, Scheme> = new Map<SignatureAlgorithm, Scheme>([
  [
    "ed25519",
    {
      form: `an Ed25519 key ${IN_PEM}`,
      isOf: (key) => key.asymmetricKeyType === "ed25519",
      verify: (key, content, proof) => verify(null, content, key, proof),
    },
  ],
  [
    "ecdsa-p256-sha256",
    {
      form: `a key of the curve P-256 ${IN_PEM}`,
      isOf: (key) => key.asymmetricKeyDetails?.namedCurve === "prime256v1",
      verify: (key, content, proof) => verify("sha256", content, { key, dsaEncoding: "ieee-p1363" }, proof),
    },
  ],
  [
    "rsa-pss-sha512",
    {
      form: RSA,
      isOf: isRsa,
      verify: (key, content, proof) =>
        verify("sha512", content, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, proof),
    },
  ],
  [
    "rsa-v1_5-sha256",
    { form: RSA, isOf: isRsa, verify: (key, content, proof) => verify("sha256", content, key, proof) },
  ],
]);

/** Makes a function that finds the keys of a signature. @throws TypeError at start, for a key that is missing or malformed. */
export function signatureKeys(
  keys: SignatureKeys,
): (request: WebhookRequest, hint: SignatureKeyHint) => Promise<readonly VerifyingKey[]> {
  const fits = (known: readonly VerifyingKey[], { keyid, alg }: SignatureKeyHint): readonly VerifyingKey[] =>
    known.filter(({ id, algorithm }) => (id ?? keyid) === keyid && (alg ?? algorithm) === algorithm);
  if (typeof keys === "function") {
    return async (request, hint) => {
      const found = await orUnavailable("The function in keys has failed.", () => keys(request, hint));
      return fits(Array.isArray(found) && found.length === 0 ? [] : ready(found), hint);
    };
  }
  const known = ready(keys);
  return async (_, hint) => fits(known, hint);
}

function ready(keys: readonly (SignatureKey | undefined)[]): readonly VerifyingKey[] {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError(`keys: ${shown(keys)} is not a list of at least one key.`);
  }
  return (keys as readonly unknown[]).map((one, index) => {
    const { id, algorithm, key } = (one ?? {}) as Partial<SignatureKey>;
    const which = `keys: number ${index + 1}${typeof id === "string" ? ` (${shown(id)})` : ""}`;
    if (key === undefined || key === "" || (Buffer.isBuffer(key) && key.length === 0)) {
      throw new TypeError(`${which} has no key, or an empty one; each is an object of id, algorithm and key.`);
    }
    if (id !== undefined && (typeof id !== "string" || id === "")) throw new TypeError(`keys: ${shown(id)} is no id.`);
    if (algorithm === "hmac-sha256") return { id, algorithm, verify: hmac(key, which) };
    const scheme = SCHEMES.get(algorithm);
    if (!algorithm || !scheme) {
      const all = ["hmac-sha256", ...SCHEMES.keys()].join(", ");
      throw new TypeError(`${which}: ${shown(algorithm)} is not one of the algorithms ${all}.`);
    }
    const publicKey = readPublicKey(key);
    if (!publicKey || !scheme.isOf(publicKey)) {
      throw new TypeError(`${which} is no public key for ${algorithm}: it must be ${scheme.form}.`);
    }
    return { id, algorithm, verify: (content, proof) => scheme.verify(publicKey, content, proof) };
  });
}

function hmac(key: string | Buffer | KeyObject, which: string): VerifyingKey["verify"] {
  if (key instanceof KeyObject ? key.type !== "secret" : typeof key !== "string" && !Buffer.isBuffer(key)) {
    throw new TypeError(`${which} is no secret for hmac-sha256: it must be text, a Buffer, or a secret KeyObject.`);
  }
  return (content, proof) => isEqual(proof, createHmac("sha256", key).update(content).digest());
}

function readPublicKey(key: string | Buffer | KeyObject): KeyObject | undefined {
  if (key instanceof KeyObject) return key.type === "public" ? key : undefined;
  try {
    return createPublicKey(key);
  } catch {
    return undefined;
  }
}
