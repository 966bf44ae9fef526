/**
 * Signs as Stripe does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Stripe. */
export function signStripe(payload: SignPayload, { secret, now = Date.now() }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  const time = Math.floor(now / 1000);
  return {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": `t=${time},v1=${hmacOf(secret, [`${time}.`, body])}`,
    },
    body,
  };
}
