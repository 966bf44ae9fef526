/**
 * Source: Cal.com. https://cal.com/docs/developing/guides/automation/webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { memberReader, oneField, unauthorized } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type CalComOptions = SourceOptions & {
  /** The webhook's secrets. */
  readonly secrets: Secrets;
};

const SIGNATURE = "X-Cal-Signature-256";
const eventType = memberReader("triggerEvent");

/**
 * Creates the source of Cal.com's webhooks: the body is signed, without a time, so that a delivery can be replayed. A `PING`,
 * which the settings page sends as a test, is answered, and not emitted.
 *
 * There is no delivery id. The event type is `triggerEvent`, such as `BOOKING_CREATED`; a custom payload template has to keep
 * it, and has to make JSON, for of anything else Cal.com says that it is a form. A webhook without a secret is refused.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function calCom<Event = unknown>(options: CalComOptions): Source<Event> {
  checkOptions("calCom", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "cal-com",
      verify: hmacVerifier({
        source: "cal-com",
        secrets,
        signed({ request }) {
          const signature = oneField(request, SIGNATURE);
          // What Cal.com writes where a signature would stand.
          if (signature === "no-secret-provided") {
            throw unauthorized("The delivery is not signed.", "The webhook has no secret at Cal.com: set one there.");
          }
          return { signatures: [signature] };
        },
      }),
      reply: (facts) => (eventType(facts) === "PING" ? {} : undefined),
      eventType,
      provenance: { eventType: "signed" },
    },
    options,
  );
}
