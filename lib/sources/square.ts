/**
 * Source: Square. https://developer.squareup.com/docs/webhooks/step3validate
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { urlFinder, urlGuesses, type UrlOption } from "./url";

export type SquareOptions = SourceOptions & {
  /** The subscription's signature keys. */
  readonly secrets: Secrets;
  /** The notification URL, letter by letter as the subscription at Square has it, or a function that tells it of a request. */
  readonly url: UrlOption;
};

/**
 * Creates the source of Square's webhooks: the notification URL and the body are signed, without a time, so that a delivery
 * can be replayed. The delivery id is `event_id`, the same when it is sent again.
 *
 * Square waits 10 seconds, and sends again for 24 hours.
 *
 * @throws TypeError at start, for a missing or empty secret, and for a `url` that is none.
 */
export function square<Event = unknown>(options: SquareOptions): Source<Event> {
  checkOptions("square", options, ["secrets", "url", "only", "ignore"]);
  const { secrets } = options;
  const urlOf = urlFinder(options.url);

  return defineSource<Event>(
    {
      name: "square",
      verify: hmacVerifier({
        source: "square",
        secrets,
        encoding: "base64",
        signed({ request }) {
          const signatures = [oneField(request, "X-Square-HmacSha256-Signature")];
          const url = urlOf(request);
          const others = () =>
            urlGuesses(url, request).map(({ why, ...guess }) => ({ value: { signatures, before: guess.url }, why }));
          return { signatures, before: url, others };
        },
      }),
      accepts: { deadlineMs: 9_000 },
      deliveryId: memberReader("event_id"),
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
