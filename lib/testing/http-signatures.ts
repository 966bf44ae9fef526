/**
 * Signs by HTTP message signatures (RFC 9421), with a digest of the body (RFC 9530).
 *
 * @module
 */
import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  KeyObject,
  randomUUID,
  sign,
  type KeyLike,
} from "node:crypto";
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignHttpSignaturesOptions = {
  readonly algorithm: "ed25519" | "hmac-sha256" | "ecdsa-p256-sha256" | "rsa-pss-sha512" | "rsa-v1_5-sha256";
  /** The secret for `hmac-sha256`, else the private key. */
  readonly key: KeyLike;
  /** The URL that is posted to, as the sender knows it. */
  readonly url: string;
  /** @defaultValue none */
  readonly keyid?: string | undefined;
  /** Components that are covered. @defaultValue `["content-digest", "@method", "@target-uri"]` */
  readonly components?: readonly string[] | undefined;
  /** Header fields besides, such as `content-encoding` of a payload in coded octets. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The signature's nonce, or `null` for none. @defaultValue a random UUID */
  readonly nonce?: string | null | undefined;
  /** How long the signature is good, in seconds. @defaultValue for ever */
  readonly expiresAfter?: number | undefined;
  /** When it is signed, in milliseconds since 1970. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Signs a payload, and adds its digest. */
export function signHttpSignatures(
  payload: SignPayload,
  {
    components = ["content-digest", "@method", "@target-uri"],
    now = Date.now(),
    ...options
  }: SignHttpSignaturesOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const headers = {
    "content-type": "application/json",
    "content-digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
    ...options.headers,
  };
  const { keyid, nonce = randomUUID(), expiresAfter } = options;
  const created = Math.floor(now / 1000);
  const input = [
    `(${components.map((name) => `"${name}"`).join(" ")})`,
    `created=${created}`,
    ...(expiresAfter === undefined ? [] : [`expires=${created + expiresAfter}`]),
    ...(keyid === undefined ? [] : [`keyid="${keyid}"`]),
    ...(nonce === null ? [] : [`nonce="${nonce}"`]),
  ].join(";");

  const { protocol, host, pathname, search, href } = new URL(options.url);
  const values: Readonly<Record<string, string>> = {
    ...headers,
    "@method": "POST",
    "@target-uri": href,
    "@authority": host,
    "@scheme": protocol.slice(0, -1),
    "@request-target": pathname + search,
    "@path": pathname,
    "@query": search === "" ? "?" : search,
  };
  const lines = components.map((name) => {
    if (values[name] === undefined) throw new TypeError(`components: ${name} is not among the headers.`);
    return `"${name}": ${values[name]}\n`;
  });
  const base = Buffer.from(`${lines.join("")}"@signature-params": ${input}`, "latin1");
  const proof = proofOf(base, options).toString("base64");
  return { headers: { ...headers, "signature-input": `sig1=${input}`, signature: `sig1=:${proof}:` }, body };
}

/** RFC 9421 section 3.3. */
function proofOf(base: Buffer, { algorithm, key }: Pick<SignHttpSignaturesOptions, "algorithm" | "key">): Buffer {
  if (algorithm === "hmac-sha256") return createHmac("sha256", key).update(base).digest();
  const privateKey = key instanceof KeyObject ? key : createPrivateKey(key);
  if (algorithm === "ed25519") return sign(null, base, privateKey);
  if (algorithm === "rsa-v1_5-sha256") return sign("sha256", base, privateKey);
  if (algorithm === "ecdsa-p256-sha256") return sign("sha256", base, { key: privateKey, dsaEncoding: "ieee-p1363" });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign("sha512", base, { key: privateKey, padding, saltLength: 64 });
}
