/**
 * Signs as Typeform does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Typeform. */
export function signTypeform(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "typeform-signature": `sha256=${hmacOf(secret, [body], { encoding: "base64" })}`,
    },
    body,
  };
}
