/**
 * Signs as Square does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Square. `url` is the notification URL, as the receiver has it. */
export function signSquare(
  payload: SignPayload,
  { secret, url }: SignOptions & { readonly url: string },
): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-square-hmacsha256-signature": hmacOf(secret, [url, body], { encoding: "base64" }),
    },
    body,
  };
}
