/**
 * Source: Amazon SNS. https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
 *
 * @module
 */
import { verify, type X509Certificate } from "node:crypto";
import type { Source } from "../authenticate/authenticator";
import { orUnavailable } from "../authenticate/unavailable";
import { checkFunction, checkOptions, shown } from "../request/options";
import { certificateFinder, type Fetch } from "./certificates";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { checkMoment, memberReader, textMember, unauthorized } from "./facts";
import { hasTwins, noEnvelope, snsProof, SUBSCRIPTION_CONFIRMATION } from "./sns-envelope";

export type AwsSnsOptions = TimedSourceOptions & {
  /** The topics that may send. The topics of all accounts have the same signers, so that a signature alone says nothing. */
  readonly topicArns: readonly (string | undefined)[];
  /**
   * Whether a verified `SubscriptionConfirmation` is confirmed by fetching its `SubscribeURL`. If not, it is emitted, and the
   * app confirms by the API's `ConfirmSubscription`.
   *
   * @defaultValue `true`
   */
  readonly confirm?: boolean | undefined;
  /**
   * Fetches certificates, and confirms. In tests it may be that of `testCertificate`.
   *
   * @defaultValue the global `fetch`
   */
  readonly fetch?: Fetch | undefined;
};

/**
 * Creates the source of Amazon SNS, whose JSON comes as `text/plain`. Message, id, subject, time, topic and type are signed, by
 * a certificate that is fetched from SNS and kept: with SHA-256 if the topic's `SignatureVersion` is 2, else with SHA-1.
 * `UnsubscribeURL`, `MessageAttributes`, any other member and the header fields are not signed, so that one who has seen a
 * delivery can send it again with other octets: `deduplicate` catches that if its `key` is the delivery id. **Raw message
 * delivery** has no signature, so it is refused.
 *
 * The payload is the whole envelope: what was published is the text `payload.Message`. The delivery id is `MessageId`, the
 * event type is `Type`. A `SubscriptionConfirmation` is answered once it is confirmed; an `UnsubscribeConfirmation` is emitted,
 * and never confirmed, for that would subscribe again.
 *
 * SNS waits 15 seconds, and does not send again what is answered with 4xx. All else it sends three more times, 20 seconds apart,
 * or by the subscription's policy for up to an hour, with the time of the first: `toleranceSeconds` is 3,900 (65 minutes) unless
 * told otherwise.
 *
 * @throws TypeError at start, for a topic's ARN that is missing, malformed, or of another partition than `aws`, `aws-cn` and
 * `aws-us-gov`.
 */
export function awsSns<Event = unknown>(options: AwsSnsOptions): Source<Event> {
  checkOptions("awsSns", options, ["topicArns", "confirm", "fetch", "toleranceSeconds", "now", "only", "ignore"]);
  const { confirm = true } = options;
  if (typeof confirm !== "boolean") throw new TypeError(`confirm: ${shown(confirm)} is neither true nor false.`);

  return defineSource<Event>(
    {
      name: "aws-sns",
      verify: snsVerifier(options),
      // What is published has up to 256 KiB, and JSON may write one character with six.
      accepts: { deadlineMs: 14_000, maxBytes: 2_097_152, mediaTypes: ["text/plain"] },
      reply: ({ payload }) => (confirm && textMember(payload, "Type") === SUBSCRIPTION_CONFIRMATION ? {} : undefined),
      deliveryId: memberReader("MessageId"),
      eventType: memberReader("Type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html */
const RAW = "x-amz-sns-rawdelivery";
const IS_NO_JSON = /^\s*[^\s{[]/;
const CONFIRM_TIMEOUT_MS = 5000;

function snsVerifier(options: AwsSnsOptions): Verify {
  const { confirm = true, toleranceSeconds = 3900, now = Date.now, fetch: fetcher = fetch } = options;
  const topics = topicsOf(options.topicArns);
  checkFunction("fetch", fetcher);
  const findCertificate = certificateFinder({ source: "aws-sns", fetch: fetcher });

  async function confirmSubscription(subscribeUrl: string, signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(CONFIRM_TIMEOUT_MS)]);
    const { ok, status, body } = await fetcher(subscribeUrl, { redirect: "error", signal: patience });
    await body?.cancel();
    if (!ok) throw new Error(`SNS has answered ${status}.`);
  }

  return async function verifySns({ request, body, signal }) {
    // What is published may be any text, of which the parser would tell only that it is not JSON.
    if (request.headers[RAW] === "true" || IS_NO_JSON.test(await body.text())) throw noEnvelope();
    const { type, topicArn, sentAt, subscribeUrl, certUrl, ...proof } = snsProof(await body.json());
    if (!topics.has(topicArn)) throw unauthorized("The topic is none of this endpoint's.", "Is its ARN in topicArns?");
    checkMoment(sentAt, { toleranceSeconds, now });

    const certificate = await findCertificate(certUrl);
    if (!certificate) throw unauthorized("There is no certificate at SigningCertURL.");
    checkCertificate(certificate, now());
    if (!verify(proof.algorithm, proof.content, certificate.publicKey, proof.signature)) {
      throw unauthorized("The signature does not match.");
    }
    if (hasTwins(await body.text())) throw unauthorized("A member of the envelope is there twice.");
    if (!confirm || type !== SUBSCRIPTION_CONFIRMATION) return;
    const advice = `aws-sns: the subscription to ${topicArn} could not be confirmed.`;
    await orUnavailable(advice, () => confirmSubscription(subscribeUrl, signal));
  };
}

/** The names that the AWS SDK for Java looks for in the certificate of a region. */
const SUBJECT = /^CN=sns(?:[.-][a-z\d.-]+)?\.amazonaws\.com(?:\.cn)?$/m;

/** The certificate comes from SNS by TLS, which is why its issuer is not looked at. @throws HTTPException 401 */
function checkCertificate({ subject, validFrom, validTo, publicKey }: X509Certificate, now: number): void {
  if (!SUBJECT.test(subject) || publicKey.asymmetricKeyType !== "rsa") {
    throw unauthorized("The certificate is not one for messages of SNS.");
  }
  if (now < Date.parse(validFrom) || now > Date.parse(validTo)) throw unauthorized("The certificate is not valid now.");
}

/** Of the partitions whose hosts are known here: all deliveries of another would be refused. */
const TOPIC_ARN = /^arn:aws(?:-cn|-us-gov)?:sns:[a-z\d-]+:\d{12}:[\w-]{1,256}(?:\.fifo)?$/;

function topicsOf(topicArns: readonly (string | undefined)[]): ReadonlySet<string> {
  if (!Array.isArray(topicArns) || topicArns.length === 0) {
    throw new TypeError(`topicArns: ${shown(topicArns)} is not a list of at least one topic's ARN.`);
  }
  return new Set(
    topicArns.map((arn: unknown) => {
      if (typeof arn === "string" && TOPIC_ARN.test(arn)) return arn;
      throw new TypeError(`topicArns: ${shown(arn)} is not an ARN such as arn:aws:sns:us-east-1:123456789012:orders.`);
    }),
  );
}
