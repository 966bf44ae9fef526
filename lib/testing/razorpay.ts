/**
 * Signs as Razorpay does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignRazorpayOptions = SignOptions & {
  /** @defaultValue none */
  readonly deliveryId?: string | undefined;
};

/** Signs a payload of Razorpay. */
export function signRazorpay(payload: SignPayload, { secret, deliveryId }: SignRazorpayOptions): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-razorpay-signature": hmacOf(secret, [body]),
      ...(deliveryId !== undefined && { "x-razorpay-event-id": deliveryId }),
    },
    body,
  };
}
