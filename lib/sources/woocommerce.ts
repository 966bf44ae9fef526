/**
 * Source: WooCommerce. https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { fieldReader, oneField } from "./facts";
import { FORM } from "./form";
import { hmacVerifier } from "./hmac-verifier";

export type WoocommerceOptions = SourceOptions & {
  /** The webhooks' secrets. */
  readonly secrets: Secrets;
};

const SIGNATURE = "X-WC-Webhook-Signature";

/**
 * Creates the source of WooCommerce's webhooks: the body is signed, without a time, so that a delivery can be replayed. The
 * ping by which a shop tries the URL of a new webhook, a short form without a signature, is answered with nothing but a 200.
 *
 * Delivery id (`X-WC-Webhook-Delivery-Id`) and event type (`X-WC-Webhook-Topic`, such as `order.created`) are fields that the
 * signature does not cover. A shop makes the id of a webhook and a second, so that what happens within one second shares it.
 * It waits 60 seconds, never sends again, and disables a webhook after more than five failures in a row: keep what your
 * broker cannot take.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function woocommerce<Event = unknown>(options: WoocommerceOptions): Source<Event> {
  checkOptions("woocommerce", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "woocommerce",
      verify: hmacVerifier({
        source: "woocommerce",
        secrets,
        encoding: "base64",
        signed: ({ request }) => ({ signatures: [oneField(request, SIGNATURE)] }),
      }),
      handshake: ({ request }) => (isPing(request) ? { status: 200 } : undefined),
      deliveryId: fieldReader("X-WC-Webhook-Delivery-Id"),
      eventType: fieldReader("X-WC-Webhook-Topic"),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

/** The length of `webhook_id=` and a number. */
const PING_LENGTH = /^(?:1[2-9]|2\d|3[01])$/;

/** Whether this is the ping. Its body is not read: nothing is told of it, and nothing is emitted. */
function isPing({ method, headers }: IncomingMessage): boolean {
  return (
    method === "POST" &&
    headers[SIGNATURE.toLowerCase()] === undefined &&
    headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() === FORM &&
    PING_LENGTH.test(headers["content-length"] ?? "")
  );
}
