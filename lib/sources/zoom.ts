/**
 * Source: Zoom. https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { afterPrefix, checkTime, memberReader, oneField, textMember } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type ZoomOptions = TimedSourceOptions & {
  /** The app's secret tokens. */
  readonly secrets: Secrets;
};

const SIGNATURE = "X-Zm-Signature";

/**
 * Creates the source of Zoom's webhooks: `v0:timestamp:body` is signed. The handshake `endpoint.url_validation`, which comes
 * again every 72 hours, is signed like all else, and answered with its token, hashed with the secret that has signed it.
 *
 * There is no delivery id; the event type is `event`. Zoom waits 3 seconds, and sends again three times. `toleranceSeconds`
 * is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function zoom<Event = unknown>(options: ZoomOptions): Source<Event> {
  checkOptions("zoom", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;
  const keys = new WeakMap<IncomingMessage, string | Buffer>();

  return defineSource<Event>(
    {
      name: "zoom",
      verify: hmacVerifier({
        source: "zoom",
        secrets,
        signed({ request }) {
          const timestamp = oneField(request, "X-Zm-Request-Timestamp");
          const signature = afterPrefix("v0=", oneField(request, SIGNATURE), SIGNATURE);
          checkTime(timestamp, { toleranceSeconds, now });
          return { signatures: [signature], before: `v0:${timestamp}:` };
        },
        onMatch: (request, key) => keys.set(request, key),
      }),
      accepts: { deadlineMs: 2_500 },
      reply({ request, payload }) {
        if (textMember(payload, "event") !== "endpoint.url_validation") return undefined;
        const plainToken = textMember(payload, "payload", "plainToken");
        const key = keys.get(request);
        // Hashing what is not verified would sign for strangers: a token may be a whole delivery.
        if (key === undefined || plainToken === undefined || !TOKEN.test(plainToken)) return {};
        return { body: { plainToken, encryptedToken: createHmac("sha256", key).update(plainToken).digest("hex") } };
      },
      eventType: memberReader("event"),
      provenance: { eventType: "signed" },
    },
    options,
  );
}

/** Of a token that may hold `:`, the hash would be a signature of `v0:timestamp:body`. */
const TOKEN = /^[\w.~+/=-]{1,256}$/;
