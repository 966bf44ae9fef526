/**
 * Signs as Xero does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Xero. */
export function signXero(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: { "content-type": "application/json", "x-xero-signature": hmacOf(secret, [body], { encoding: "base64" }) },
    body,
  };
}
