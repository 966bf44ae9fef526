/**
 * Source: Twilio SendGrid's Event Webhook.
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 *
 * @module
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { Source } from "../authenticate/authenticator";
import { checkOptions, shown } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkTime, memberReader, oneField } from "./facts";
import { publicKeyVerifier } from "./public-key-verifier";

export type SendgridOptions = TimedSourceOptions & {
  /** The webhook's verification keys, as the settings show them: base64. */
  readonly publicKeys: readonly (string | undefined)[];
};

/**
 * Creates the source of SendGrid's Event Webhook: the time and the body are signed with ECDSA. Each item of the array is a
 * message; its delivery id is `sg_event_id`, its event type `event`. A signature can be written in two ways by whoever has
 * seen it, so it is no id.
 *
 * SendGrid sends again for 24 hours, and does not say whether with a new time: `toleranceSeconds` is 90,000 (25 hours)
 * unless told otherwise, and deduplication by `message.key` is what keeps out replays.
 *
 * @throws TypeError at start, for a key that is missing, empty, or no public key of the curve P-256.
 */
export function sendgrid<Event = unknown>(options: SendgridOptions): Source<Event> {
  checkOptions("sendgrid", options, ["publicKeys", "toleranceSeconds", "now", "only", "ignore"]);
  const { publicKeys, toleranceSeconds = 90_000, now } = options;

  return defineSource<Event>(
    {
      name: "sendgrid",
      verify: publicKeyVerifier({
        keys: p256Keys(publicKeys),
        algorithm: "sha256",
        decode: derInBase64,
        signed({ request }) {
          const signature = oneField(request, "X-Twilio-Email-Event-Webhook-Signature");
          const timestamp = oneField(request, "X-Twilio-Email-Event-Webhook-Timestamp");
          checkTime(timestamp, { toleranceSeconds, now });
          return { signatures: [signature], before: timestamp };
        },
      }),
      split: (payload) => (Array.isArray(payload) ? (payload as Event[]) : undefined),
      deliveryId: memberReader("sg_event_id"),
      eventType: memberReader("event"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

/** Decodes a signature in DER (RFC 3279 section 2.2.3): two numbers of up to 33 octets. Its base64 is written in one way. */
function derInBase64(text: string): Buffer | undefined {
  if (text.length > 96) return undefined;
  const octets = Buffer.from(text, "base64");
  return octets.length >= 8 && octets.toString("base64") === text ? octets : undefined;
}

function p256Keys(publicKeys: readonly (string | undefined)[]): readonly KeyObject[] {
  if (!Array.isArray(publicKeys) || publicKeys.length === 0) {
    throw new TypeError(`publicKeys: ${shown(publicKeys)} is not a list of at least one key.`);
  }
  return publicKeys.map((text: unknown) => {
    if (typeof text !== "string" || text === "") throw new TypeError("publicKeys: a key is missing or empty.");
    const key = spkiKey(text);
    if (key?.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
    throw new TypeError(
      "publicKeys: a key is base64 of a public key of the curve P-256; paste the verification key whole.",
    );
  });
}

function spkiKey(base64: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
