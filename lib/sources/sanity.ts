/**
 * Source: Sanity's GROQ-powered webhooks. https://www.sanity.io/docs/webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { fieldReader } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { timedSignature } from "./timed-signature";

export type SanityOptions = TimedSourceOptions & {
  /** The webhook's secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Sanity's webhooks: `time.body` is signed, with the time in milliseconds.
 *
 * The delivery id is the unsigned field `Idempotency-Key`, the event type the unsigned field `Sanity-Operation`: `create`,
 * `update` or `delete`. The payload is what the webhook's projection makes of a document. Sanity sends again twice, half a
 * minute apart, what is answered 429 or 5xx, and nothing else. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function sanity<Event = unknown>(options: SanityOptions): Source<Event> {
  checkOptions("sanity", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;

  return defineSource<Event>(
    {
      name: "sanity",
      verify: hmacVerifier({
        source: "sanity",
        secrets,
        encoding: "base64",
        signed({ request }) {
          const window = { toleranceSeconds, now };
          const { signatures, before } = timedSignature(request, "Sanity-Webhook-Signature", window, {
            perSecond: 1000,
          });
          return { signatures: signatures.map(padded), before };
        },
      }),
      deliveryId: fieldReader("Idempotency-Key"),
      eventType: fieldReader("Sanity-Operation"),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

/** Base64 of what is base64url without padding (RFC 4648 section 5); nothing of what is not. */
function padded(text: string): string {
  return /^[\w-]+$/.test(text) ? `${text.replaceAll("-", "+").replaceAll("_", "/")}=` : "";
}
