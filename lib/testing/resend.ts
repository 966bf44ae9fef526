/**
 * Signs as Resend does.
 *
 * @module
 */
import type { SignedDelivery, SignOptions, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

/** Signs a payload of Resend. */
export function signResend(
  payload: SignPayload,
  options: SignOptions & { readonly deliveryId?: string | undefined },
): SignedDelivery {
  return signStandardWebhooks(payload, { ...options, family: "svix" });
}
