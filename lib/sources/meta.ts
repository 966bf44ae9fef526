/**
 * Source: Meta (Facebook, Instagram, WhatsApp). https://developers.facebook.com/docs/graph-api/webhooks/getting-started
 *
 * @module
 */
import { fingerprint } from "../authenticate/fingerprint";
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { checkOptions, text } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { afterPrefix, memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type MetaOptions = SourceOptions & {
  /** The app secrets. */
  readonly secrets: Secrets;
  /** The verify token that was typed into the app's dashboard: the handshake comes with it. */
  readonly verifyToken: string;
};

const SIGNATURE = "X-Hub-Signature-256";

/**
 * Creates the source of Meta's webhooks: the body is signed, without a time, so that a delivery can be replayed. The handshake
 * by GET is answered with its challenge where it brings the verify token, and with 403 where it does not.
 *
 * There is no delivery id, and a delivery may hold up to 1,000 entries; the event type is `object`, such as `page` or
 * `whatsapp_business_account`. Meta waits 5 seconds for Messenger, and sends again for 36 hours and more.
 *
 * @throws TypeError at start, for a missing or empty secret or verify token.
 */
export function meta<Event = unknown>(options: MetaOptions): Source<Event> {
  checkOptions("meta", options, ["secrets", "verifyToken", "only", "ignore"]);
  const { secrets, verifyToken } = options;
  const token = fingerprint(text("verifyToken", verifyToken));

  return defineSource<Event>(
    {
      name: "meta",
      verify: hmacVerifier({
        source: "meta",
        secrets,
        signed: ({ request }) => ({ signatures: [afterPrefix("sha256=", oneField(request, SIGNATURE), SIGNATURE)] }),
      }),
      // WhatsApp's documentation: "Webhooks payloads can be up to 3 MB."
      accepts: { deadlineMs: 4_500, maxBytes: 3_145_728 },
      handshake({ request, query }) {
        if (request.method !== "GET" || !query.has("hub.mode")) return undefined;
        const [mode, found, challenge] = ["hub.mode", "hub.verify_token", "hub.challenge"].map((name) => {
          const [value, ...others] = query.getAll(name);
          return others.length === 0 ? value : undefined;
        });
        const isKnown = found !== undefined && isEqual(fingerprint(found), token);
        return isKnown && mode === "subscribe" && challenge ? { text: challenge } : { status: 403 };
      },
      eventType: memberReader("object"),
      provenance: { eventType: "signed" },
    },
    options,
  );
}
