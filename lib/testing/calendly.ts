/**
 * Signs as Calendly does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Calendly. */
export function signCalendly(payload: SignPayload, { secret, now = Date.now() }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  const time = Math.floor(now / 1000);
  return {
    headers: {
      "content-type": "application/json",
      "calendly-webhook-signature": `t=${time},v1=${hmacOf(secret, [`${time}.`, body])}`,
    },
    body,
  };
}
