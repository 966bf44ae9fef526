/**
 * Source: Stripe. https://docs.stripe.com/webhooks#verify-manually
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { memberReader } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { timedSignature } from "./timed-signature";

export type StripeOptions = TimedSourceOptions & {
  /** The endpoint's signing secrets, with `whsec_` before them. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Stripe's webhooks: `time.body` is signed. `Stripe-Signature` may hold several signatures `v1`, one
 * for each secret while it is rolled; those of other schemes do not count. The delivery id is the event's `id`, the same
 * when it is sent again.
 *
 * Stripe sends again for three days, and disables an endpoint that fails for many days. `toleranceSeconds` is 300 unless
 * told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret, and for an API key in the place of one.
 */
export function stripe<Event = unknown>(options: StripeOptions): Source<Event> {
  checkOptions("stripe", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;

  return defineSource<Event>(
    {
      name: "stripe",
      verify: hmacVerifier({
        source: "stripe",
        secrets,
        keyOf: signingSecret,
        signed: ({ request }) => timedSignature(request, "Stripe-Signature", { toleranceSeconds, now }),
      }),
      deliveryId: memberReader("id"),
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

// https://docs.stripe.com/keys
const API_KEY = /^[psr]k_/;

function signingSecret(secret: string | Buffer): string | Buffer {
  if (typeof secret !== "string" || !API_KEY.test(secret)) return secret;
  throw new TypeError(
    `secrets: one begins with ${secret.slice(0, 3)}, so it is an API key; pass the endpoint's signing secret, which begins with whsec_.`,
  );
}
