/**
 * Signs as GitHub does.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

/** Signs a payload of GitHub. `event` is its type, `deliveryId` its id. */
export function signGithub(
  payload: SignPayload,
  {
    secret,
    event = "push",
    deliveryId = randomUUID(),
  }: SignOptions & { readonly event?: string; readonly deliveryId?: string },
): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": deliveryId,
      "x-hub-signature-256": `sha256=${hmacOf(secret, [body])}`,
    },
    body,
  };
}
