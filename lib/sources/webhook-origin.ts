/**
 * The handshake of CloudEvents' webhooks: a sender asks by OPTIONS whether its deliveries are wanted here.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 *
 * @module
 */
import { positiveInteger, shown } from "../request/options";
import type { SourceTraits } from "../request/source";

export type WebhookOriginOptions = {
  /**
   * Origins whose handshake is granted, as they call themselves (`WebHook-Request-Origin`): DNS names such as
   * `eventemitter.example.com`, or `"*"` for all. It keeps senders from being abused, and lets nobody in by itself.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Requests per minute that are granted. Nothing here counts them.
   *
   * @defaultValue no limit
   */
  readonly allowedRatePerMinute?: number | undefined;
};

const DNS_NAME = /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i;

/**
 * Makes the answer to the handshake: 200 with what is granted, 403 to an origin that is not, and none without
 * `allowedOrigins`, so that OPTIONS is 405. `WebHook-Request-Callback` is a stranger's URL, and never fetched.
 *
 * @throws TypeError at start, for an empty list, what is no DNS name, and a rate that is none.
 */
export function originHandshake({
  allowedOrigins,
  allowedRatePerMinute: rate,
}: WebhookOriginOptions): SourceTraits["handshake"] {
  if (rate !== undefined) positiveInteger("allowedRatePerMinute", rate);
  if (allowedOrigins === undefined) return undefined;
  if (!Array.isArray(allowedOrigins) || allowedOrigins.length === 0) {
    throw new TypeError(`allowedOrigins: ${shown(allowedOrigins)} is not a list of at least one origin.`);
  }
  const origins = new Set(
    allowedOrigins.map((origin: unknown) => {
      if (origin === "*" || (typeof origin === "string" && DNS_NAME.test(origin))) return origin.toLowerCase();
      throw new TypeError(`allowedOrigins: ${shown(origin)} is neither a DNS name, such as example.com, nor "*".`);
    }),
  );

  return function handshake({ request }) {
    const asked = request.headers["webhook-request-origin"];
    if (request.method !== "OPTIONS" || typeof asked !== "string") return undefined;
    const granted = origins.has("*") ? "*" : asked.toLowerCase();
    if (!origins.has(granted)) return { status: 403 };
    return {
      headers: {
        Allow: "POST",
        // Section 4.2.1: the name as it was supplied.
        "WebHook-Allowed-Origin": granted === "*" ? "*" : asked,
        "WebHook-Allowed-Rate": rate === undefined ? "*" : String(rate),
      },
    };
  };
}
