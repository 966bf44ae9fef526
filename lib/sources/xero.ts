/**
 * Source: Xero. https://developer.xero.com/documentation/webhooks/configuring-your-server
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { oneField, textMember } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type XeroOptions = SourceOptions & {
  /** The app's webhook keys, as text: they look like base64, and are not decoded. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Xero's webhooks: the body is signed, without a time, so that a delivery can be replayed. Xero tries
 * an endpoint with "intent to receive": signed deliveries without events are answered 200, and not emitted, wrongly signed
 * ones 401. Both answers are empty, as Xero wants them; nor may a middleware before the node set a cookie.
 *
 * Each event of a delivery is a message. Its type joins `eventCategory` and `eventType`, such as `INVOICE.UPDATE`. Xero
 * gives events no id, so the delivery id joins that with `resourceId` and the moment `eventDateUtc`.
 *
 * Xero waits 5 seconds, sends again for 24 hours, less and less often, and then disables the webhook.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function xero<Event = unknown>(options: XeroOptions): Source<Event> {
  checkOptions("xero", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "xero",
      verify: hmacVerifier({
        source: "xero",
        secrets,
        encoding: "base64",
        signed: ({ request }) => ({ signatures: [oneField(request, "X-Xero-Signature")] }),
      }),
      accepts: { deadlineMs: 4_500 },
      success: { body: undefined },
      refusal: { body: undefined },
      reply: ({ payload }) => (eventsOf(payload)?.length === 0 ? {} : undefined),
      split: (payload) => eventsOf(payload) as Event[] | undefined,
      deliveryId({ payload }) {
        const names = ["eventCategory", "eventType", "resourceId", "eventDateUtc"];
        return joined(payload, names, " ");
      },
      eventType: ({ payload }) => joined(payload, ["eventCategory", "eventType"], "."),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

function eventsOf(payload: unknown): readonly unknown[] | undefined {
  const events = (payload as { readonly events?: unknown } | null)?.events;
  return Array.isArray(events) ? events : undefined;
}

/** Members of an event in one text, if it has them all. */
function joined(event: unknown, names: readonly string[], separator: string): string | undefined {
  const parts = names.map((name) => textMember(event, name));
  return parts.includes(undefined) ? undefined : parts.join(separator);
}
