/**
 * Source: Paddle Billing. https://developer.paddle.com/webhooks/signature-verification
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import type { Signed } from "../authenticate/signed";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkTime, memberReader, oneField, unauthorized, type TimeWindow } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type PaddleOptions = TimedSourceOptions & {
  /** The notification destination's secret keys, with `pdl_ntfset_` before them. */
  readonly secrets: Secrets;
};

const SIGNATURE = "Paddle-Signature";

/**
 * Creates the source of Paddle Billing's webhooks: `time:body` is signed. `Paddle-Signature` may hold several signatures
 * `h1`, one for each secret while it is rotated. The delivery id is `event_id`, the same when it is sent again; the event
 * type is `event_type`.
 *
 * Paddle waits 5 seconds, and sends again up to 60 times within three days, of a sandbox up to three times within 15 minutes.
 * https://developer.paddle.com/webhooks/respond-to-webhooks
 *
 * `toleranceSeconds` is 5 unless told otherwise, as in Paddle's own libraries: keep the clock right.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function paddle<Event = unknown>(options: PaddleOptions): Source<Event> {
  checkOptions("paddle", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 5, now } = options;

  return defineSource<Event>(
    {
      name: "paddle",
      verify: hmacVerifier({
        source: "paddle",
        secrets,
        signed: ({ request }) => signedContent(request, { toleranceSeconds, now }),
      }),
      accepts: { deadlineMs: 4_500 },
      deliveryId: memberReader("event_id"),
      eventType: memberReader("event_type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

const ELEMENT = /^([a-z][a-z0-9]*)=([0-9A-Za-z]+)$/;

/** Reads `ts=time;h1=signature`. Elements by other names do not count. */
function signedContent(request: IncomingMessage, window: TimeWindow): Signed {
  const times: string[] = [];
  const signatures: string[] = [];
  for (const element of oneField(request, SIGNATURE).split(";")) {
    const [, name, value] = ELEMENT.exec(element) ?? [];
    if (value === undefined) throw unauthorized(`${SIGNATURE} is not a list such as ts=1;h1=a.`);
    if (name === "ts") times.push(value);
    else if (name === "h1") signatures.push(value);
  }
  const [time, ...others] = times;
  if (time === undefined || others.length > 0) throw unauthorized(`${SIGNATURE} must have one time, ts.`);
  checkTime(time, window);
  return { signatures, before: `${time}:` };
}
