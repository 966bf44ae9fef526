/**
 * Source: Calendly. https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { memberReader, textMember } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { timedSignature } from "./timed-signature";

export type CalendlyOptions = TimedSourceOptions & {
  /** The webhook signing keys: of the subscription, or of the OAuth application. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Calendly's webhooks: `time.body` is signed. The event type is `event`, such as `invitee.created`.
 *
 * Calendly gives deliveries no id, so the delivery id joins the event type, the moment `created_at` and the resource's `uri`.
 * Calendly sends again for 24 hours, less and less often, and then disables the subscription, which has to be made anew.
 * https://community.calendly.com/developer-faq-62/why-am-i-not-receiving-webhook-data-how-does-a-webhook-become-disabled-548
 *
 * `toleranceSeconds` is 180 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function calendly<Event = unknown>(options: CalendlyOptions): Source<Event> {
  checkOptions("calendly", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 180, now } = options;

  return defineSource<Event>(
    {
      name: "calendly",
      verify: hmacVerifier({
        source: "calendly",
        secrets,
        signed: ({ request }) => timedSignature(request, "Calendly-Webhook-Signature", { toleranceSeconds, now }),
      }),
      deliveryId({ payload }) {
        const uri = textMember(payload, "payload", "uri");
        const parts = [textMember(payload, "event"), textMember(payload, "created_at"), uri];
        return parts.includes(undefined) ? undefined : parts.join(" ");
      },
      eventType: memberReader("event"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
