/**
 * Signs as OpenAI does.
 *
 * @module
 */
import type { SignedDelivery, SignOptions, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

/** Signs a payload of OpenAI. */
export function signOpenai(
  payload: SignPayload,
  options: SignOptions & { readonly deliveryId?: string | undefined },
): SignedDelivery {
  return signStandardWebhooks(payload, options);
}
