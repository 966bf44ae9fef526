/**
 * Signs as Paddle does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Paddle. */
export function signPaddle(payload: SignPayload, { secret, now = Date.now() }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  const time = Math.floor(now / 1000);
  return {
    headers: {
      "content-type": "application/json",
      "paddle-signature": `ts=${time};h1=${hmacOf(secret, [`${time}:`, body])}`,
    },
    body,
  };
}
