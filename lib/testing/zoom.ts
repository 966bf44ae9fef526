/**
 * Signs as Zoom does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Zoom. */
export function signZoom(payload: SignPayload, { secret, now = Date.now() }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  const time = String(Math.floor(now / 1000));
  return {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-zm-request-timestamp": time,
      "x-zm-signature": `v0=${hmacOf(secret, [`v0:${time}:`, body])}`,
    },
    body,
  };
}
