/**
 * Source: Typeform. https://www.typeform.com/developers/webhooks/secure-your-webhooks/
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { afterPrefix, memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type TypeformOptions = SourceOptions & {
  /** The webhook's secrets. */
  readonly secrets: Secrets;
};

const SIGNATURE = "Typeform-Signature";

/**
 * Creates the source of Typeform's webhooks: the body is signed, without a time, so that a delivery can be replayed. The
 * delivery id is `event_id`, the event type `event_type`, such as `form_response`.
 *
 * Typeform waits 30 seconds, sends again every two or three minutes for ten hours after a 408, 423, 429 or 503, and some
 * times within hours after any other failure. A 404 or a 410 disables the webhook at once.
 * https://www.typeform.com/developers/webhooks/
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function typeform<Event = unknown>(options: TypeformOptions): Source<Event> {
  checkOptions("typeform", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "typeform",
      verify: hmacVerifier({
        source: "typeform",
        secrets,
        encoding: "base64",
        signed: ({ request }) => ({ signatures: [afterPrefix("sha256=", oneField(request, SIGNATURE), SIGNATURE)] }),
      }),
      deliveryId: memberReader("event_id"),
      eventType: memberReader("event_type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
