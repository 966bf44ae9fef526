/**
 * Signs as Sanity does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignSanityOptions = SignOptions & {
  /** @defaultValue none */
  readonly deliveryId?: string | undefined;
  /** What has happened to the document. @defaultValue `"update"` */
  readonly operation?: "create" | "update" | "delete" | undefined;
};

/** Signs a payload of Sanity. */
export function signSanity(
  payload: SignPayload,
  { secret, now = Date.now(), deliveryId, operation = "update" }: SignSanityOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const signature = Buffer.from(hmacOf(secret, [`${now}.`, body]), "hex").toString("base64url");
  return {
    headers: {
      "content-type": "application/json",
      "sanity-webhook-signature": `t=${now},v1=${signature}`,
      "sanity-operation": operation,
      ...(deliveryId !== undefined && { "idempotency-key": deliveryId }),
    },
    body,
  };
}
