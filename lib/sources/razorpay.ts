/**
 * Source: Razorpay. https://razorpay.com/docs/webhooks/validate-test/
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { fieldReader, memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type RazorpayOptions = SourceOptions & {
  /** The webhook's secrets, which are not the API's. What is sent again is signed with the secret it had at first. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Razorpay's webhooks: the body is signed, without a time, so that a delivery can be replayed. The
 * delivery id is the unsigned field `X-Razorpay-Event-Id`, the same when it is sent again; the event type is `event`.
 *
 * Razorpay waits 5 seconds, sends again for 24 hours, and then disables the webhook.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function razorpay<Event = unknown>(options: RazorpayOptions): Source<Event> {
  checkOptions("razorpay", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "razorpay",
      verify: hmacVerifier({
        source: "razorpay",
        secrets,
        signed: ({ request }) => ({ signatures: [oneField(request, "X-Razorpay-Signature")] }),
      }),
      accepts: { deadlineMs: 4_500 },
      deliveryId: fieldReader("X-Razorpay-Event-Id"),
      eventType: memberReader("event"),
      provenance: { deliveryId: "unsigned", eventType: "signed" },
    },
    options,
  );
}
