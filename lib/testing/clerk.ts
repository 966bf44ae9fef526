/**
 * Signs as Clerk does.
 *
 * @module
 */
import type { SignedDelivery, SignOptions, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

/** Signs a payload of Clerk. */
export function signClerk(
  payload: SignPayload,
  options: SignOptions & { readonly deliveryId?: string | undefined },
): SignedDelivery {
  return signStandardWebhooks(payload, { ...options, family: "svix" });
}
