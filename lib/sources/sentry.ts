/**
 * Source: Sentry's integration platform. https://docs.sentry.io/integrations/integration-platform/webhooks/
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import type { DeliveryFacts } from "../request/source";
import { defineSource, type SourceOptions } from "./define-source";
import { fieldReader, oneField, textMember } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type SentryOptions = SourceOptions & {
  /** The integration's client secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Sentry's webhooks: the body is signed. `Sentry-Hook-Timestamp` is not, so that a delivery can be
 * replayed.
 *
 * The delivery id is the unsigned field `Request-Id`, a new one each time that Sentry sends again. The event type is Sentry's
 * resource and action, such as `issue.created`: the action is a member of the body, the resource the field
 * `Sentry-Hook-Resource`, which the signature does not cover.
 *
 * **Sentry waits 1 second,** and unsubscribes what has timed out 1,000 times within 24 hours, so a slow broker wants a spool
 * before it. https://sentry.io/changelog/2023-10-3-change-to-integration-platform-webhook-handling
 * It sends again three times, five minutes apart, after a time-out or a 5xx, and not after a 4xx.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function sentry<Event = unknown>(options: SentryOptions): Source<Event> {
  checkOptions("sentry", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "sentry",
      verify: hmacVerifier({
        source: "sentry",
        secrets,
        signed: ({ request }) => ({ signatures: [oneField(request, "Sentry-Hook-Signature")] }),
      }),
      accepts: { deadlineMs: 800 },
      deliveryId: fieldReader("Request-Id"),
      eventType: sentryType,
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

const resourceOf = fieldReader("Sentry-Hook-Resource");

function sentryType(facts: DeliveryFacts): string | undefined {
  const resource = resourceOf(facts);
  const action = textMember(facts.payload, "action");
  return resource === undefined || action === undefined ? resource : `${resource}.${action}`;
}
