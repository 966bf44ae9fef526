/**
 * Signs as WooCommerce does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignWoocommerceOptions = SignOptions & {
  /** @defaultValue none */
  readonly deliveryId?: string | undefined;
  /** What has happened to what: a resource and an event. @defaultValue `"order.created"` */
  readonly topic?: string | undefined;
};

/** Signs a payload of WooCommerce. */
export function signWoocommerce(
  payload: SignPayload,
  { secret, deliveryId, topic = "order.created" }: SignWoocommerceOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const [resource = "", event = ""] = topic.split(".");
  return {
    headers: {
      "content-type": "application/json",
      "x-wc-webhook-signature": hmacOf(secret, [body], { encoding: "base64" }),
      "x-wc-webhook-topic": topic,
      "x-wc-webhook-resource": resource,
      "x-wc-webhook-event": event,
      ...(deliveryId !== undefined && { "x-wc-webhook-delivery-id": deliveryId }),
    },
    body,
  };
}
