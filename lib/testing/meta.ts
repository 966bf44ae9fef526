/**
 * Signs as Meta does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Meta. */
export function signMeta(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: { "content-type": "application/json", "x-hub-signature-256": `sha256=${hmacOf(secret, [body])}` },
    body,
  };
}
