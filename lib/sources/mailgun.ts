/**
 * Source: Mailgun. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { Source } from "../authenticate/authenticator";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { checkTime, memberReader, textMember, unauthorized } from "./facts";
import { signatureDecoder } from "./hmac-verifier";

export type MailgunOptions = TimedSourceOptions & {
  /** The account's HTTP webhook signing keys. Of a subaccount's deliveries, the key of the primary account does too. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Mailgun's webhooks. **The event is not signed:** a time and a token in the body are, so that whoever
 * has seen one delivery can send another event with them until the time is over. Deduplication by `message.key`, with the token as delivery
 * id, lets a token in once.
 *
 * The event type is the unsigned `event-data.event`. Mailgun takes 200 for a success, and sends again for 8 hours whatever is
 * answered otherwise, but for 406. `toleranceSeconds` is 43,200 (12 hours) unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function mailgun<Event = unknown>(options: MailgunOptions): Source<Event> {
  checkOptions("mailgun", options, ["secrets", "toleranceSeconds", "now", "only", "ignore"]);

  return defineSource<Event>(
    {
      name: "mailgun",
      verify: mailgunVerifier(options),
      deliveryId: memberReader("signature", "token"),
      eventType: memberReader("event-data", "event"),
      provenance: { deliveryId: "signed", eventType: "unsigned" },
    },
    options,
  );
}

/** Nothing stands between the two where they are signed: by their lengths alone it is known where the token begins. */
const TIMESTAMP = /^\d{10}$/;
const TOKEN = /^[0-9A-Za-z]{50}$/;

function mailgunVerifier({ secrets, toleranceSeconds = 43_200, now }: MailgunOptions): Verify {
  const keysOf = secretKeys(secrets);
  const decode = signatureDecoder("hex", 32);

  return async function verifyMailgun({ request, body }) {
    const payload = await body.json();
    const [timestamp = "", token = ""] = ["timestamp", "token"].map((name) => ownText(payload, name));
    if (!TIMESTAMP.test(timestamp) || !TOKEN.test(token)) {
      throw unauthorized("The payload has no signature with a timestamp of 10 digits and a token of 50 characters.");
    }
    checkTime(timestamp, { toleranceSeconds, now });
    const proofs = ["signature", "parent-signature"].flatMap((name) => decode(ownText(payload, name) ?? "") ?? []);
    if (proofs.length === 0) throw unauthorized("The signature is not sha256 in hex.");

    const keys = await keysOf(request);
    const digests = keys.map((key) => createHmac("sha256", key).update(timestamp).update(token).digest());
    const isProven = digests.some((digest) => proofs.some((proof) => isEqual(proof, digest)));
    if (!isProven) throw unauthorized("The signature does not match.", "Is the secret the HTTP webhook signing key?");
  };
}

/** A member of the signature that is text: a number would be another value with the same digits. */
function ownText(payload: unknown, name: string): string | undefined {
  const text = textMember(payload, "signature", name);
  const signature = (payload as { readonly signature?: Readonly<Record<string, unknown>> } | null)?.signature;
  return typeof signature?.[name] === "string" ? text : undefined;
}
