/**
 * Signs as Polar does.
 *
 * @module
 */
import type { SignedDelivery, SignOptions, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

export type SignPolarOptions = SignOptions & {
  readonly deliveryId?: string | undefined;
  /**
   * Signs as with secrets made before September 2026, whose key is their own text.
   *
   * @defaultValue `true` for a secret without `whsec_`
   */
  readonly isOldSecret?: boolean | undefined;
};

/** Signs a payload of Polar. */
export function signPolar(payload: SignPayload, { secret, isOldSecret, ...options }: SignPolarOptions): SignedDelivery {
  const isOld = isOldSecret ?? !secret.startsWith("whsec_");
  return signStandardWebhooks(payload, { ...options, secret: isOld ? Buffer.from(secret) : secret });
}
