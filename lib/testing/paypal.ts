/**
 * Signs as PayPal does.
 *
 * @module
 */
import { randomUUID, sign, type KeyLike } from "node:crypto";
import { crc32 } from "node:zlib";
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";
import { testCertificate } from "./test-certificate";

export type SignPaypalOptions = {
  /**
   * The private key of the certificate at `certUrl`, which the receiver's `fetch` has to find.
   *
   * @defaultValue that of `testCertificate`, whose `fetch` finds it
   */
  readonly privateKey?: KeyLike | undefined;
  /** The webhook's id, as the receiver has it. */
  readonly webhookId: string;
  /** @defaultValue `"https://api.paypal.com/v1/notifications/certs/CERT-test"` */
  readonly certUrl?: string | undefined;
  /** The transmission id. @defaultValue a random UUID */
  readonly deliveryId?: string | undefined;
  /** When it is signed, in milliseconds since 1970. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Signs a payload of PayPal. */
export function signPaypal(
  payload: SignPayload,
  {
    privateKey = testCertificate.privateKey,
    webhookId,
    certUrl = "https://api.paypal.com/v1/notifications/certs/CERT-test",
    deliveryId = randomUUID(),
    now = Date.now(),
  }: SignPaypalOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  const content = Buffer.from(`${deliveryId}|${time}|${webhookId}|${crc32(body)}`);
  return {
    headers: {
      "content-type": "application/json",
      "paypal-transmission-id": deliveryId,
      "paypal-transmission-time": time,
      "paypal-transmission-sig": sign("sha256", content, privateKey).toString("base64"),
      "paypal-cert-url": certUrl,
      "paypal-auth-algo": "SHA256withRSA",
    },
    body,
  };
}
