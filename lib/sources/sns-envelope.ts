/**
 * The envelope in which Amazon SNS sends: what of it is signed, and by which certificate.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 *
 * @module
 */
import { unauthorized } from "./facts";

/** What an envelope says of its signature, each member held to its form. */
export type SnsProof = {
  readonly type: string;
  readonly topicArn: string;
  /** In milliseconds since 1970. */
  readonly sentAt: number;
  /** Empty but for a confirmation. */
  readonly subscribeUrl: string;
  readonly certUrl: string;
  readonly algorithm: string;
  readonly signature: Buffer;
  /** The octets that are signed. */
  readonly content: Buffer;
};

export const SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation";
const CONTROL = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
/** What is signed, in its order. Only `Message` may hold line feeds, so that no two envelopes are signed alike. */
const SIGNED: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["Notification", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]],
  [SUBSCRIPTION_CONFIRMATION, CONTROL],
  ["UnsubscribeConfirmation", CONTROL],
]);
const ALGORITHMS: ReadonlyMap<unknown, string> = new Map([
  ["1", "sha1"],
  ["2", "sha256"],
]);

/** A region begins with letters alone: `sns.s3-us-west-2.amazonaws.com` would be the bucket of a stranger. */
const ORIGIN = String.raw`https://sns\.(?:cn-[a-z]+-\d{1,2}\.amazonaws\.com\.cn|[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}\.amazonaws\.com)`;
const CERT_URL = new RegExp(String.raw`^${ORIGIN}/SimpleNotificationService-[0-9A-Za-z]{32}\.pem$`);
const SUBSCRIBE_URL = new RegExp(String.raw`^${ORIGIN}/\?[\w.~%&=:+/-]{1,2048}$`);
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/; // RFC 3339 section 5.6
/** What UTF-8 cannot write, and Node writes as U+FFFD, which would have the same signature. */
const HALF_A_PAIR = /\p{Surrogate}/u;
/** RFC 4648 section 4, in its one canonical form: the bits to spare are zero. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** The refusal of what is no signed message, such as what raw message delivery sends. */
export function noEnvelope(): Error {
  return unauthorized("The payload is no signed message of SNS.", "Raw message delivery is not signed: is it off?");
}

/** Reads the proof of an envelope. @throws HTTPException 401 for what is none. */
export function snsProof(payload: unknown): SnsProof {
  const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
  const members: ReadonlyMap<string, unknown> = new Map(isObject ? Object.entries(payload) : []);
  const names = SIGNED.get(members.get("Type"));
  const algorithm = ALGORITHMS.get(members.get("SignatureVersion"));
  const signature = members.get("Signature");
  if (!names || !algorithm || typeof signature !== "string" || signature === "" || !BASE64.test(signature)) {
    throw noEnvelope();
  }

  const lines = names.filter((name) => name !== "Subject" || members.has(name)).flatMap((name) => [name, textOf(name)]);
  return {
    type: textOf("Type"),
    topicArn: textOf("TopicArn"),
    sentAt: Date.parse(textOf("Timestamp", MOMENT)),
    subscribeUrl: names.includes("SubscribeURL") ? textOf("SubscribeURL", SUBSCRIBE_URL) : "",
    certUrl: textOf("SigningCertURL", CERT_URL),
    algorithm,
    signature: Buffer.from(signature, "base64"),
    content: Buffer.from(`${lines.join("\n")}\n`),
  };

  function textOf(name: string, grammar = name === "Message" ? /^/ : /^[^\n\r]*$/): string {
    const value = members.get(name);
    if (typeof value === "string" && grammar.test(value) && !HALF_A_PAIR.test(value)) return value;
    throw unauthorized(`${name} is malformed.`);
  }
}

/** Brackets and strings of JSON, a name with its colon. */
const TOKEN = /[{}[\]]|"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?/g;

/**
 * Whether a name comes twice in an envelope, or once more in another case: readers of the octets differ in which one they
 * take, and only one is signed.
 */
export function hasTwins(json: string): boolean {
  const names = new Set<string>();
  let depth = 0;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) {
      // Both ways, for ſ and the Kelvin sign, which some readers take for s and k.
      const name = (JSON.parse(token.slice(0, -1)) as string).toUpperCase().toLowerCase();
      if (names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}
