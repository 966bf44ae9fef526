/**
 * Signs as Vercel does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Vercel. */
export function signVercel(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-vercel-signature": hmacOf(secret, [body], { algorithm: "sha1" }),
    },
    body,
  };
}
