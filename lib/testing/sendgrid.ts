/**
 * Signs as SendGrid's Event Webhook does.
 *
 * @module
 */
import { sign, type KeyLike } from "node:crypto";
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignSendgridOptions = {
  /** A private key of the curve P-256, whose public key the receiver has. */
  readonly privateKey: KeyLike;
  /** When it is signed, in milliseconds since 1970. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Signs a payload of SendGrid: an array of events. */
export function signSendgrid(
  payload: SignPayload,
  { privateKey, now = Date.now() }: SignSendgridOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const time = String(Math.floor(now / 1000));
  return {
    headers: {
      "content-type": "application/json",
      "x-twilio-email-event-webhook-timestamp": time,
      "x-twilio-email-event-webhook-signature": sign(
        "sha256",
        Buffer.concat([Buffer.from(time), body]),
        privateKey,
      ).toString("base64"),
    },
    body,
  };
}
