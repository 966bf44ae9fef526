/**
 * Signs as Shopify does.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignShopifyOptions = SignOptions & {
  /** What the field `Topic` tells. */
  readonly topic?: string | undefined;
  readonly deliveryId?: string | undefined;
  readonly shop?: string | undefined;
  /** Which header fields: of webhooks, or of events. @defaultValue `"webhooks"` */
  readonly family?: "webhooks" | "events" | undefined;
};

/** Signs a payload of Shopify. */
export function signShopify(payload: SignPayload, options: SignShopifyOptions): SignedDelivery {
  const { secret, topic = "orders/create", deliveryId = randomUUID(), family = "webhooks" } = options;
  const { shop = "example.myshopify.com" } = options;
  const body = octetsOf(payload);
  const prefix = family === "events" ? "shopify" : "x-shopify";
  return {
    headers: {
      "content-type": "application/json",
      [`${prefix}-topic`]: topic,
      [`${prefix}-hmac-sha256`]: hmacOf(secret, [body], { encoding: "base64" }),
      [`${prefix}-shop-domain`]: shop,
      [`${prefix}-api-version`]: "2026-10",
      [`${prefix}-webhook-id`]: deliveryId,
      [`${prefix}-event-id`]: randomUUID(),
    },
    body,
  };
}
