/**
 * Source: Linear. https://linear.app/developers/webhooks#securing-webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkMoment, fieldReader, memberReader, oneField, unauthorized } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type LinearOptions = TimedSourceOptions & {
  /** The webhook's signing secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Linear's webhooks: the body is signed, and in it the time, `webhookTimestamp`.
 *
 * The delivery id is the unsigned field `Linear-Delivery`; the event type is the payload's `type`, such as `Issue`. Linear
 * waits 5 seconds, sends again after a minute, an hour and six hours, and may disable a webhook that keeps failing.
 * `toleranceSeconds` is 60 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function linear<Event = unknown>(options: LinearOptions): Source<Event> {
  checkOptions("linear", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 60, now } = options;
  const verifySignature = hmacVerifier({
    source: "linear",
    secrets,
    signed: ({ request }) => ({ signatures: [oneField(request, "Linear-Signature")] }),
  });

  return defineSource<Event>(
    {
      name: "linear",
      async verify(args) {
        await verifySignature(args);
        checkMoment(signedTime(await args.body.json()), { toleranceSeconds, now });
      },
      accepts: { deadlineMs: 4_500 },
      deliveryId: fieldReader("Linear-Delivery"),
      eventType: memberReader("type"),
      provenance: { deliveryId: "unsigned", eventType: "signed" },
    },
    options,
  );
}

/** The time in the body, in milliseconds. The field `Linear-Timestamp` says the same, but nothing signs it. */
function signedTime(payload: unknown): number {
  const isObject = typeof payload === "object" && payload !== null && Object.hasOwn(payload, "webhookTimestamp");
  const time = isObject ? (payload as Record<string, unknown>)["webhookTimestamp"] : undefined;
  if (typeof time === "number" && Number.isFinite(time)) return time;
  throw unauthorized("The payload has no webhookTimestamp in milliseconds.");
}
