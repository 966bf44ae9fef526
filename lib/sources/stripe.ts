/**
 * Source: Stripe. https://docs.stripe.com/webhooks#verify-manually
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/hmac";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkTime, memberReader, oneField, unauthorized, type TimeWindow } from "./facts";
import { hmacVerifier } from "./hmac-verifier";
import type { Signed } from "../authenticate/signed";

export type StripeOptions = TimedSourceOptions & {
  /** The endpoint's signing secrets, with `whsec_` before them. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Stripe's webhooks: `time.body` is signed. `Stripe-Signature` may hold several signatures `v1`, one
 * for each secret while it is rolled; those of other schemes do not count. The delivery id is the event's `id`, the same
 * when it is sent again.
 *
 * Stripe sends again for three days, and disables an endpoint that fails for many days. `toleranceSeconds` is 300 unless
 * told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function stripe<Event = unknown>(options: StripeOptions): Source<Event> {
  checkOptions("stripe", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;

  return defineSource<Event>(
    {
      name: "stripe",
      verify: hmacVerifier({
        source: "stripe",
        secrets,
        signed: ({ request }) => timedSignature(request, "Stripe-Signature", { toleranceSeconds, now }),
      }),
      deliveryId: memberReader("id"),
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

const ELEMENT = /^([a-z][a-z0-9]*)=([0-9A-Za-z+/_-]+=*)$/;

/** Where a provider that has taken over Stripe's form differs from it. */
export type TimedSignatureForm = {
  /** 1000 where the time is in milliseconds. @defaultValue 1 */
  readonly perSecond?: number | undefined;
  /** @defaultValue `","` */
  readonly separator?: string | RegExp | undefined;
};

/**
 * Reads a field of Stripe's form, `t=time,v1=signature`, which others have taken over. What is signed is `time.body`.
 *
 * @throws HTTPException 401 for another form, for two times or none, and for a time outside the window.
 */
export function timedSignature(
  request: IncomingMessage,
  field: string,
  window: TimeWindow,
  { perSecond = 1, separator = "," }: TimedSignatureForm = {},
): Signed {
  const times: string[] = [];
  const signatures: string[] = [];
  for (const element of oneField(request, field).split(separator)) {
    const [, scheme, value] = ELEMENT.exec(element) ?? [];
    if (value === undefined) throw unauthorized(`${field} is not a list such as t=1,v1=a.`);
    if (scheme === "t") times.push(value);
    else if (scheme === "v1") signatures.push(value);
  }
  const [time, ...others] = times;
  if (time === undefined || others.length > 0) throw unauthorized(`${field} must have one time, t.`);
  checkTime(time, window, perSecond);
  return { signatures, before: `${time}.` };
}
