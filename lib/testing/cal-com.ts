/**
 * Signs as Cal.com does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Cal.com. */
export function signCalCom(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: { "content-type": "application/json", "x-cal-signature-256": hmacOf(secret, [body]) },
    body,
  };
}
