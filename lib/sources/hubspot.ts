/**
 * Source: HubSpot, signatures v3.
 * https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkTime, memberReader, oneField, textMember } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { urlFinder, urlGuesses, type UrlOption } from "./url";

export type HubspotOptions = TimedSourceOptions & {
  /** The app's client secrets. */
  readonly secrets: Secrets;
  /** The target URL, letter by letter as the app at HubSpot has it, or a function that tells it of a request. */
  readonly url: UrlOption;
};

/**
 * Creates the source of HubSpot's webhooks: method, URL, body and time are signed. The older signatures, which come beside,
 * are not looked at. Each item of the array is a message, its event type `subscriptionType`.
 *
 * HubSpot does not promise that `eventId` is unique, so the delivery id joins it with the portal, the subscription and the
 * moment of the event. HubSpot waits 5 seconds, and sends again up to ten times within 24 hours. `toleranceSeconds` is 300
 * unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret, and for a `url` that is none.
 */
export function hubspot<Event = unknown>(options: HubspotOptions): Source<Event> {
  checkOptions("hubspot", options, ["secrets", "url", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;
  const urlOf = urlFinder(options.url);

  return defineSource<Event>(
    {
      name: "hubspot",
      verify: hmacVerifier({
        source: "hubspot",
        secrets,
        encoding: "base64",
        signed({ request }) {
          const timestamp = oneField(request, "X-HubSpot-Request-Timestamp");
          const signatures = [oneField(request, "X-HubSpot-Signature-v3")];
          checkTime(timestamp, { toleranceSeconds, now }, 1000);
          const url = urlOf(request);
          const signedFor = (one: string) => ({
            signatures,
            before: `${request.method}${decodedUrl(one)}`,
            after: timestamp,
          });
          const others = () =>
            urlGuesses(url, request).map(({ why, ...guess }) => ({ value: signedFor(guess.url), why }));
          return { ...signedFor(url), others };
        },
      }),
      accepts: { deadlineMs: 4_500 },
      split: (payload) => (Array.isArray(payload) ? (payload as Event[]) : undefined),
      deliveryId({ payload }) {
        const parts = ["portalId", "subscriptionId", "eventId", "occurredAt"].map((name) => textMember(payload, name));
        return parts[2] === undefined ? undefined : parts.filter((part) => part !== undefined).join("-");
      },
      eventType: memberReader("subscriptionType"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

/** What HubSpot decodes before it signs; all other escapes stay. */
const ESCAPES = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

/** A URL as HubSpot signs it. */
export function decodedUrl(url: string): string {
  return url.replace(ESCAPES, decodeURIComponent);
}
