/**
 * Source: WorkOS. https://workos.com/docs/events/data-syncing/webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { memberReader } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import { timedSignature } from "./timed-signature";

export type WorkosOptions = TimedSourceOptions & {
  /** The endpoint's signing secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of WorkOS's webhooks: `time.body` is signed, with the time in milliseconds. The delivery id is the
 * event's `id`, the same when it is sent again; the event type is `event`.
 *
 * WorkOS sends again up to six times within three days. `toleranceSeconds` is 180 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function workos<Event = unknown>(options: WorkosOptions): Source<Event> {
  checkOptions("workos", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 180, now } = options;
  const form = { perSecond: 1000, separator: /, ?/ };

  return defineSource<Event>(
    {
      name: "workos",
      verify: hmacVerifier({
        source: "workos",
        secrets,
        signed: ({ request }) => timedSignature(request, "WorkOS-Signature", { toleranceSeconds, now }, form),
      }),
      deliveryId: memberReader("id"),
      eventType: memberReader("event"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
