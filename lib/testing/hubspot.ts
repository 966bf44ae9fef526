/**
 * Signs as HubSpot does, v3.
 *
 * @module
 */
import { decodedUrl } from "../sources/hubspot";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of HubSpot. `url` is the target URL, as the receiver has it. */
export function signHubspot(
  payload: SignPayload,
  { secret, url, now = Date.now() }: SignOptions & { readonly url: string },
): SignedDelivery {
  const body = octetsOf(payload);
  const time = String(now);
  return {
    headers: {
      "content-type": "application/json",
      "x-hubspot-request-timestamp": time,
      "x-hubspot-signature-v3": hmacOf(secret, [`POST${decodedUrl(url)}`, body, time], { encoding: "base64" }),
    },
    body,
  };
}
