/**
 * Signs as WorkOS does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of WorkOS. */
export function signWorkos(payload: SignPayload, { secret, now = Date.now() }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "workos-signature": `t=${now}, v1=${hmacOf(secret, [`${now}.`, body])}`,
    },
    body,
  };
}
