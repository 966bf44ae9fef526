/**
 * Signs as Twilio does.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignTwilioOptions = SignOptions & {
  /** The URL as it is configured at Twilio. */
  readonly url: string;
  /**
   * Sends the payload's members as the fields of a form.
   *
   * @defaultValue `false`
   */
  readonly form?: boolean | undefined;
  readonly deliveryId?: string | undefined;
};

/** Signs a payload of Twilio. The delivery goes to the `url` that comes back: the hash of JSON is in its query. */
export function signTwilio(
  payload: SignPayload,
  { secret, url, form = false, deliveryId }: SignTwilioOptions,
): SignedDelivery & { readonly url: string } {
  const id = deliveryId === undefined ? {} : { "i-twilio-idempotency-token": deliveryId };
  const sign = (...pieces: string[]): string => hmacOf(secret, pieces, { algorithm: "sha1", encoding: "base64" });
  if (form) {
    const fields = Object.entries(payload as Record<string, string>);
    const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat();
    return {
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": sign(url, ...sorted),
        ...id,
      },
      body: Buffer.from(new URLSearchParams(fields).toString()),
      url,
    };
  }
  const body = octetsOf(payload);
  const digest = createHash("sha256").update(body).digest("hex");
  const signed = `${url}${url.includes("?") ? "&" : "?"}bodySHA256=${digest}`;
  return {
    headers: { "content-type": "application/json", "x-twilio-signature": sign(signed), ...id },
    body,
    url: signed,
  };
}
