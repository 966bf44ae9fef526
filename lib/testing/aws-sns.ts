/**
 * Signs as Amazon SNS does.
 *
 * @module
 */
import { randomUUID, sign, type KeyLike } from "node:crypto";
import type { SignedDelivery, SignPayload } from "./signed";
import { testCertificate } from "./test-certificate";

export type SignAwsSnsOptions = {
  /**
   * The private key of the certificate at `certUrl`, which the receiver's `fetch` has to find.
   *
   * @defaultValue that of `testCertificate`, whose `fetch` finds it
   */
  readonly privateKey?: KeyLike | undefined;
  readonly topicArn: string;
  /** @defaultValue `"Notification"` */
  readonly type?: "Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation" | undefined;
  /** Of a notification. @defaultValue none */
  readonly subject?: string | undefined;
  /** Of a confirmation. @defaultValue one at `sns.us-east-1.amazonaws.com` */
  readonly subscribeUrl?: string | undefined;
  /** @defaultValue one at `sns.us-east-1.amazonaws.com` */
  readonly certUrl?: string | undefined;
  /** `"1"` is SHA-1, `"2"` SHA-256. @defaultValue `"2"` */
  readonly signatureVersion?: "1" | "2" | undefined;
  /** The message's id. @defaultValue a random UUID */
  readonly deliveryId?: string | undefined;
  /** When it is published, in milliseconds since 1970. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Signs what is published to a topic of Amazon SNS: text as it is, any other value as JSON. */
export function signAwsSns(
  payload: SignPayload,
  {
    privateKey = testCertificate.privateKey,
    topicArn,
    type = "Notification",
    subject,
    subscribeUrl = `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=2336412f37`,
    certUrl = `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-${"0".repeat(32)}.pem`,
    signatureVersion = "2",
    deliveryId = randomUUID(),
    now = Date.now(),
  }: SignAwsSnsOptions,
): SignedDelivery {
  const isNotification = type === "Notification";
  // The order is that of the signature.
  const signed = {
    Message: typeof payload === "string" ? payload : JSON.stringify(payload),
    MessageId: deliveryId,
    ...(isNotification && subject !== undefined && { Subject: subject }),
    ...(!isNotification && { SubscribeURL: subscribeUrl }),
    Timestamp: new Date(now).toISOString(),
    ...(!isNotification && { Token: "2336412f37" }),
    TopicArn: topicArn,
    Type: type,
  };
  const content = Object.entries(signed)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join("");
  const signature = sign(signatureVersion === "1" ? "sha1" : "sha256", Buffer.from(content), privateKey);
  const envelope = {
    ...signed,
    SignatureVersion: signatureVersion,
    Signature: signature.toString("base64"),
    SigningCertURL: certUrl,
  };
  return {
    headers: {
      "content-type": "text/plain; charset=UTF-8",
      "x-amz-sns-message-type": type,
      "x-amz-sns-message-id": deliveryId,
      "x-amz-sns-topic-arn": topicArn,
    },
    body: Buffer.from(JSON.stringify(envelope)),
  };
}
