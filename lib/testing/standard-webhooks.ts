/**
 * Signs as senders that follow Standard Webhooks do, and Svix.
 *
 * @module
 */
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { standardKey } from "../sources/standard-webhooks";
import { hmacOf, octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignStandardOptions = {
  /** Signs by `v1`: `whsec_` and base64, or the octets of the key. */
  readonly secret?: string | Buffer | undefined;
  /** Signs by `v1a` (Ed25519): `whsk_`, and the base64 of 32 octets of seed and 32 of the public key. */
  readonly privateKey?: string | undefined;
  readonly deliveryId?: string | undefined;
  /** @defaultValue `Date.now()` */
  readonly now?: number | undefined;
  /** The family of the header fields. @defaultValue `"webhook"` */
  readonly family?: "webhook" | "svix" | undefined;
};

/** Signs a payload by Standard Webhooks, with a secret, a private key, or both. */
export function signStandardWebhooks(payload: SignPayload, options: SignStandardOptions): SignedDelivery {
  const { secret, privateKey, deliveryId = `msg_${randomUUID()}`, now = Date.now(), family = "webhook" } = options;
  const body = octetsOf(payload);
  const time = String(Math.floor(now / 1000));
  const content = [`${deliveryId}.${time}.`, body];
  const signatures = [
    ...(secret === undefined ? [] : [`v1,${hmacOf(standardKey(secret), content, { encoding: "base64" })}`]),
    ...(privateKey === undefined ? [] : [`v1a,${ed25519Of(privateKey, content)}`]),
  ];
  return {
    headers: {
      "content-type": "application/json",
      [`${family}-id`]: deliveryId,
      [`${family}-timestamp`]: time,
      [`${family}-signature`]: signatures.join(" "),
    },
    body,
  };
}

function ed25519Of(privateKey: string, content: readonly (string | Buffer)[]): string {
  const octets = Buffer.from(privateKey.replace(/^whsk_/, ""), "base64");
  const [d, x] = [octets.subarray(0, 32), octets.subarray(32)].map((half) => half.toString("base64url"));
  if (octets.length !== 64) throw new TypeError("privateKey: it is not whsk_ and base64 of 64 octets.");
  const key = createPrivateKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", d: d as string, x: x as string } });
  return sign(null, Buffer.concat(content.map((piece) => Buffer.from(piece as string))), key).toString("base64");
}
