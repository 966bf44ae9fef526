/**
 * Signs as Dropbox does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of Dropbox. */
export function signDropbox(payload: SignPayload, { secret }: SignOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: { "content-type": "application/json", "x-dropbox-signature": hmacOf(secret, [body]) },
    body,
  };
}
