/**
 * Signs as Replicate does.
 *
 * @module
 */
import type { SignedDelivery, SignOptions, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

/** Signs a payload of Replicate. */
export function signReplicate(
  payload: SignPayload,
  options: SignOptions & { readonly deliveryId?: string | undefined },
): SignedDelivery {
  return signStandardWebhooks(payload, options);
}
