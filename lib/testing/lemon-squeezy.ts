/**
 * Signs as Lemon Squeezy does.
 *
 * @module
 */
import { textMember } from "../sources/facts";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Lemon Squeezy. */
export function signLemonSqueezy(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  const eventName = textMember(payload, "meta", "event_name");
  return {
    headers: {
      "content-type": "application/json",
      "x-signature": hmacOf(secret, [body]),
      ...(eventName !== undefined && { "x-event-name": eventName }),
    },
    body,
  };
}
