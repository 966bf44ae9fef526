/**
 * Source: Lemon Squeezy. https://docs.lemonsqueezy.com/help/webhooks/signing-requests
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type LemonSqueezyOptions = SourceOptions & {
  /** The webhook's signing secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Lemon Squeezy's webhooks: the body is signed, without a time, so that a delivery can be replayed.
 * There is no delivery id; the event type is `meta.event_name`, which the field `X-Event-Name` repeats unsigned.
 *
 * Lemon Squeezy takes 200 for a success, and sends again three times within minutes.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function lemonSqueezy<Event = unknown>(options: LemonSqueezyOptions): Source<Event> {
  checkOptions("lemonSqueezy", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "lemon-squeezy",
      verify: hmacVerifier({
        source: "lemon-squeezy",
        secrets,
        signed: ({ request }) => ({ signatures: [oneField(request, "X-Signature")] }),
      }),
      eventType: memberReader("meta", "event_name"),
      provenance: { eventType: "signed" },
    },
    options,
  );
}
