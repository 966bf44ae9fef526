/**
 * Source: Shopify. https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { fieldReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type ShopifyOptions = SourceOptions & {
  /** The app's client secrets. After one is rotated, Shopify may sign with the old one for an hour. */
  readonly secrets: Secrets;
};

const PROOF = "Hmac-Sha256";

/**
 * Creates the source of Shopify's webhooks, `X-Shopify-Hmac-Sha256`, and of its events, `Shopify-Hmac-Sha256`, which goes
 * first where both come, as in Shopify's library. The body is signed, without a time, so that a delivery can be replayed.
 *
 * Delivery id (`X-Shopify-Webhook-Id`) and event type (`X-Shopify-Topic`) are fields that the signature does not cover.
 * Shopify waits 5 seconds, sends again eight times in four hours, and then removes a subscription made by its API.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function shopify<Event = unknown>(options: ShopifyOptions): Source<Event> {
  checkOptions("shopify", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "shopify",
      verify: hmacVerifier({
        source: "shopify",
        secrets,
        encoding: "base64",
        signed: ({ request }) => ({ signatures: [oneField(request, familyName(request, PROOF))] }),
      }),
      accepts: { deadlineMs: 4_000 },
      deliveryId: ({ request }) => fieldReader(familyName(request, "Webhook-Id"))({ request }),
      eventType: ({ request }) => fieldReader(familyName(request, "Topic"))({ request }),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

/** The name of a field in the family that the proof is of. */
function familyName({ headers }: IncomingMessage, name: string): string {
  return headers["shopify-hmac-sha256"] === undefined ? `X-Shopify-${name}` : `Shopify-${name}`;
}
