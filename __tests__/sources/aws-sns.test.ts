/**
 * Amazon SNS: two libraries as verifiers, with certificates of our own, and the form of the deliveries that Amazon's guide prints.
 */
import { EventEmitter } from "node:events";
import https from "node:https";
import { sign } from "node:crypto";
import PayloadValidator from "sns-payload-validator";
import MessageValidator from "sns-validator";
import { awsSns } from "express-webhook-node/sources/aws-sns";
import { signAwsSns } from "express-webhook-node/testing/aws-sns";
import { makeCertificate } from "../support/certificate";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const authority = { ...makeCertificate("An authority"), name: "An authority" };
const issued = (name: string, options = {}) => makeCertificate(name, { issuer: authority, kind: "rsa", ...options });
const own = issued("sns.amazonaws.com");
const TOPIC = "arn:aws:sns:us-west-2:123456789012:MyTopic";
const OTHER_TOPIC = "arn:aws:sns:us-west-2:210987654321:MyTopic";
const ID = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324";
const ORIGIN = "https://sns.us-west-2.amazonaws.com";
const certUrl = (name: string): string => `${ORIGIN}/SimpleNotificationService-${name.padEnd(32, "0")}.pem`;
const SUBSCRIBE_URL = `${ORIGIN}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37`;
const PEMS: Readonly<Record<string, string>> = {
  [certUrl("own")]: own.cert,
  [certUrl("other")]: issued("sns.amazonaws.com").cert,
  [certUrl("stranger")]: issued("sns.amazonaws.com.example.com").cert,
  [certUrl("merchant")]: issued("xsns.amazonaws.com").cert,
  [certUrl("over")]: issued("sns.amazonaws.com", { notAfter: new Date(NOW - 1000) }).cert,
  [certUrl("curve")]: makeCertificate("sns.amazonaws.com").cert,
  [certUrl("junk")]: "-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----",
};

/** Serves the certificates, and answers what is confirmed; remembers what it was asked for. */
function amazon(confirmed: () => Response | Promise<Response> = () => new Response("<ok/>")) {
  const asked: { readonly url: string; readonly init: RequestInit }[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    asked.push({ url, init });
    if (!url.endsWith(".pem")) return confirmed();
    return PEMS[url] === undefined ? new Response("", { status: 404 }) : new Response(PEMS[url]);
  };
  return { asked, fetch, confirmations: () => asked.map(({ url }) => url).filter((url) => !url.endsWith(".pem")) };
}

type Options = Partial<Parameters<typeof signAwsSns>[1]>;
const signed = (message: unknown, options: Options = {}) =>
  signAwsSns(message, {
    privateKey: own.key,
    topicArn: TOPIC,
    certUrl: certUrl("own"),
    subscribeUrl: SUBSCRIBE_URL,
    deliveryId: ID,
    now: NOW,
    ...options,
  });
const served = (options: object = {}, node: object = {}) =>
  serveNode({
    source: awsSns({ topicArns: [TOPIC], fetch: amazon().fetch, now: () => NOW, ...options }),
    ...node,
  });
const members = (delivery: { readonly body: Buffer }) => JSON.parse(delivery.body.toString()) as Record<string, string>;
const withBody = (envelope: unknown) => ({
  headers: { "content-type": "text/plain; charset=UTF-8" },
  body: JSON.stringify(envelope),
});

const ENVELOPE = members(signed("Hello world! é\nMessageId\nx", { subject: "My First Message" }));

sourceContract({
  name: "aws-sns",
  source: awsSns,
  options: { topicArns: [TOPIC], fetch: amazon().fetch },
  otherKeys: { topicArns: [OTHER_TOPIC] },
  sign: (_, { now }) => signed(ENVELOPE["Message"], { subject: ENVELOPE["Subject"], now }),
  payload: ENVELOPE,
  messages: [{ deliveryId: ID, eventType: "Notification" }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [],
  covers: "members",
  toleranceSeconds: 3900,
  wrongOptions: [
    ["the ARN of a queue", { topicArns: ["arn:aws:sqs:us-west-2:123456789012:MyQueue"] }],
    ["a topic of a partition with other hosts", { topicArns: ["arn:aws-iso:sns:us-iso-east-1:123456789012:MyTopic"] }],
    ["an ARN with a star", { topicArns: ["arn:aws:sns:us-west-2:123456789012:*"] }],
    ["confirm that is a text", { confirm: "false" }],
    ["a fetch that is no function", { fetch: ORIGIN }],
  ],
});

describe("awsSns", () => {
  it("takes what SNS sends as text/plain, whose payload is the envelope [A2, G1]", async () => {
    const { port, messages } = await served();
    const delivery = signed({ n: 1 });

    expect(delivery.headers["content-type"]).toBe("text/plain; charset=UTF-8");
    expect((await send(port, delivery)).status).toBe(200);
    expect(messages).toMatchObject([{ payload: { Message: '{"n":1}', TopicArn: TOPIC }, mediaType: "text/plain" }]);
  });

  it.each<readonly [string, Record<string, string>, string]>([
    ["text", {}, "plain text"],
    ["text that looks like JSON, by its field", { "x-amz-sns-rawdelivery": "true" }, '{"a":'],
    ["a whole envelope, by its field", { "x-amz-sns-rawdelivery": "true" }, JSON.stringify(ENVELOPE)],
  ])("advises to turn raw message delivery off, which is %s [B7]", async (_, fields, body) => {
    const { port, outcomes, messages } = await served();

    const { status } = await send(port, { headers: { "content-type": "text/plain", ...fields }, body });
    expect([status, messages]).toEqual([401, []]);
    expect(outcomes[0]?.advice).toContain("Raw message delivery is not signed");
  });

  it.each(["1", "2"] as const)(
    "verifies SignatureVersion %s, and does not take it for the other [B7]",
    async (version) => {
      const { port } = await served();
      const delivery = signed("x", { signatureVersion: version });

      expect((await send(port, delivery)).status).toBe(200);
      for (const other of ["1", "2", "3", "", 1, 2, null]) {
        const { status } = await send(port, withBody({ ...members(delivery), SignatureVersion: other }));
        expect([other, status]).toEqual([other, other === version ? 200 : 401]);
      }
    },
  );

  it.each(Object.keys(ENVELOPE))("refuses another %s, or one that is no text or not there [B7]", async (name) => {
    const { port, messages } = await served();
    const value = ENVELOPE[name] as string;
    for (const changed of [
      undefined,
      null,
      "",
      7,
      [value],
      { [value]: value },
      `${value}\n`,
      `${value}x`,
      `x${value}`,
    ]) {
      const { status } = await send(port, withBody({ ...ENVELOPE, [name]: changed }));
      expect([changed, status]).toEqual([changed, 401]);
    }
    expect(messages).toEqual([]);
  });

  it("signs a subject that is empty, and refuses one that is put in [B7]", async () => {
    const { port } = await served();

    expect((await send(port, signed("x", { subject: "" }))).status).toBe(200);
    for (const Subject of ["", "x", null, 7, []]) {
      expect((await send(port, withBody({ ...members(signed("x")), Subject }))).status).toBe(401);
    }
  });

  it("lets no member hold a line feed but Message, so that nothing is signed in two ways [B7]", async () => {
    const { port, messages } = await served();
    // What a publisher to TOPIC may have had signed, cut so that another id comes out.
    const message = "hello\nMessageId\n00000000-0000-0000-0000-000000000000\nSubject\nforged";
    const { MessageId = "", ...envelope } = members(signed(message));
    const moved = { ...envelope, Message: "hello", MessageId: `${message.slice(16)}\nMessageId\n${MessageId}` };
    const subject = {
      ...envelope,
      Message: "hello",
      MessageId: message.slice(16, 52),
      Subject: `forged\nMessageId\n${MessageId}`,
    };

    for (const forged of [moved, subject]) expect((await send(port, withBody(forged))).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("takes half of a surrogate pair for nothing else, though UTF-8 writes it as U+FFFD [B7]", async () => {
    const { port, messages } = await served();
    const delivery = signed("a\ufffdz", { subject: "\ufffd" });
    const envelope = members(delivery);

    expect((await send(port, delivery)).status).toBe(200);
    for (const changed of [{ Message: "a\ud800z" }, { Message: "a\udfffz" }, { Subject: "\ud800" }]) {
      expect((await send(port, withBody({ ...envelope, ...changed }))).status).toBe(401);
    }
    expect(messages).toHaveLength(1);
  });

  // Readers of `message.octets` differ in which one they take, and some heed no case: only one is signed.
  it.each([
    ["before", '"Message":"forged",', ""],
    ["behind", "", ',"Message":"forged"'],
    ["with escapes, before", String.raw`"\u004dessage" :"forged",`, ""],
    ["in another case", "", ',"message":"forged"'],
    ["with the long s", "", ',"Me\u017f\u017fage":"forged"'],
    ["as an object", "", ',"MESSAGE":{"x":["{"]}'],
  ])("refuses a member that stands once more, %s [B7]", async (_, before, behind) => {
    const { port, messages } = await served();
    const json = JSON.stringify({ ...ENVELOPE, MessageAttributes: { a: { Message: ['"Message":{}'] } } });
    const twice = `{${before}${json.slice(1, -1)}${behind}}`;

    expect((await send(port, { ...withBody({}), body: json })).status).toBe(200);
    expect((await send(port, { ...withBody({}), body: twice })).status).toBe(401);
    expect(messages).toHaveLength(1);
  });

  it.each<readonly [string, unknown]>([
    ["null", null],
    ["a list", []],
    ["an envelope in a list", [ENVELOPE]],
    ["a number", 7],
    ["a text", "text"],
    ["an empty object", {}],
    ["a type alone", { Type: "Notification" }],
    ["a type that objects have", { ...ENVELOPE, Type: "constructor" }],
  ])("refuses %s, which is no envelope [B7]", async (_, value) => {
    const { port } = await served();

    expect((await send(port, withBody(value))).status).toBe(401);
  });

  it.each([
    "http://sns.us-west-2.amazonaws.com/SimpleNotificationService-",
    "https://example.com/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com.example.com/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com@example.com/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com:8443/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com/x/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com/?/SimpleNotificationService-",
    "https://sqs.us-west-2.amazonaws.com/SimpleNotificationService-",
    "https://sns.amazonaws.com/SimpleNotificationService-",
    // Buckets of whoever was the first to ask for that name.
    "https://sns.s3.amazonaws.com/SimpleNotificationService-",
    "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-",
    "https://sns.s3.us-west-2.amazonaws.com/SimpleNotificationService-",
    "https://sns.us-west-2xamazonaws.com/SimpleNotificationService-",
    "https://sns.us-west-2.amazonaws.com.cn/SimpleNotificationService-",
    "HTTPS://SNS.US-WEST-2.AMAZONAWS.COM/SimpleNotificationService-",
  ])("asks nobody for a certificate at %s [B7]", async (prefix) => {
    const { asked, fetch } = amazon();
    const { port, messages } = await served({ fetch });

    expect((await send(port, signed("x", { certUrl: `${prefix}${"0".repeat(32)}.pem` }))).status).toBe(401);
    expect([asked, messages]).toEqual([[], []]);
  });

  it.each([
    ["cn-north-1.amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn"],
    ["us-gov-east-1.amazonaws.com", "sns-us-gov-west-1.amazonaws.com"],
    ["ap-southeast-5.amazonaws.com", "sns-signing.ap-southeast-5.amazonaws.com"],
  ])("believes the certificate of %s, for %s [B7]", async (host, name) => {
    const { cert, key } = issued(name);
    const { port } = await served({ fetch: async () => new Response(cert) });
    const url = `https://sns.${host}/SimpleNotificationService-${"a".repeat(32)}.pem`;

    expect((await send(port, signed("x", { certUrl: url, privateKey: key }))).status).toBe(200);
  });

  it.each(["other", "stranger", "merchant", "over", "curve", "junk", "none"])(
    "refuses what the certificate %s does not prove [B7]",
    async (name) => {
      const { port, messages } = await served();

      expect((await send(port, signed("x", { certUrl: certUrl(name) }))).status).toBe(401);
      expect(messages).toEqual([]);
    },
  );

  it.each(["2025-08-12 12:00:00", "2025-08-12T12:00:00+00:00", "2025-13-45T99:99:99Z", String(NOW), "NaN", ""])(
    "refuses the time %p, however well it is signed [B7]",
    async (Timestamp) => {
      const { port } = await served();
      const envelope = { ...members(signed("x")), Timestamp };
      const content = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
        .map((name) => `${name}\n${(envelope as Record<string, string>)[name]}\n`)
        .join("");
      const Signature = sign("sha256", Buffer.from(content), own.key).toString("base64");

      expect((await send(port, withBody({ ...envelope, Signature }))).status).toBe(401);
    },
  );

  it("answers 503 while certificates cannot be fetched [B7]", async () => {
    const { port, messages } = await served({ fetch: async () => Promise.reject(new Error("no route to host")) });
    const answered = await send(port, signed("x"));

    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_KEYS"]);
    expect(messages).toEqual([]);
  });

  it("lets no certificate that a stranger names, and that cannot be fetched, hinder the others [B7]", async () => {
    const { asked, fetch } = amazon();
    const { port, messages } = await served({
      fetch: async (url: string, init: RequestInit) => {
        if (url.includes("zz-nowhere-1")) throw new Error("no such host");
        return fetch(url, init);
      },
    });
    const nowhere = (n: number) => certUrl(String(n)).replace("us-west-2", "zz-nowhere-1");

    for (let n = 0; n < 20; n++) expect((await send(port, signed("x", { certUrl: nowhere(n) }))).status).toBe(503);
    expect((await send(port, signed("x"))).status).toBe(200);
    expect(asked).toHaveLength(1);
    expect(messages).toHaveLength(1);
  });

  it("answers before the 15 seconds of SNS are over, and takes 256 KiB however they are escaped [T17, A3]", async () => {
    const { port } = await served();

    expect(awsSns({ topicArns: [TOPIC] }).accepts?.deadlineMs).toBeLessThan(15_000);
    expect((await send(port, signed("\u0001".repeat(262_144)))).status).toBe(200);
  });
});

describe("awsSns, confirmations", () => {
  const subscription = (options: Options = {}) =>
    signed("You have chosen", { type: "SubscriptionConfirmation", ...options });

  it("confirms a subscription that is verified, and emits nothing [B7]", async () => {
    const { asked, fetch, confirmations } = amazon();
    const { port, messages, outcomes } = await served({ fetch });

    expect((await send(port, subscription())).status).toBe(200);
    expect(confirmations()).toEqual([SUBSCRIBE_URL]);
    expect(asked.at(-1)?.init).toMatchObject({ redirect: "error" });
    expect(messages).toEqual([]);
    expect(outcomes).toMatchObject([{ kind: "answered" }]);
  });

  it("emits a subscription that the app is to confirm [B7]", async () => {
    const { fetch, confirmations } = amazon();
    const { port, messages } = await served({ fetch, confirm: false });

    expect((await send(port, subscription())).status).toBe(200);
    expect(confirmations()).toEqual([]);
    expect(messages).toMatchObject([{ eventType: "SubscriptionConfirmation", payload: { Token: "2336412f37" } }]);
  });

  it("emits an UnsubscribeConfirmation, and never subscribes again [B7]", async () => {
    const { fetch, confirmations } = amazon();
    const { port, messages } = await served({ fetch });

    expect((await send(port, signed("You have chosen", { type: "UnsubscribeConfirmation" }))).status).toBe(200);
    expect(confirmations()).toEqual([]);
    expect(messages).toMatchObject([{ eventType: "UnsubscribeConfirmation" }]);
  });

  it.each<readonly [string, Options]>([
    ["of another topic", { topicArn: OTHER_TOPIC }],
    ["signed with another key", { certUrl: certUrl("other") }],
    ["of an hour and a half ago", { now: NOW - 5_400_000 }],
    ["at a stranger's", { subscribeUrl: `https://example.com/?Action=ConfirmSubscription` }],
    ["at another service", { subscribeUrl: "https://sqs.us-west-2.amazonaws.com/?Action=ConfirmSubscription" }],
    ["without TLS", { subscribeUrl: SUBSCRIBE_URL.replace("https", "http") }],
    ["at a path", { subscribeUrl: SUBSCRIBE_URL.replace("/?", "/x?") }],
    ["with a fragment", { subscribeUrl: `${SUBSCRIBE_URL}#x` }],
    ["with a user", { subscribeUrl: "https://sns.us-west-2.amazonaws.com@example.com/?Action=ConfirmSubscription" }],
  ])("does not confirm a subscription %s [B7]", async (_, options) => {
    const { fetch, confirmations } = amazon();
    const { port, messages } = await served({ fetch });

    expect((await send(port, subscription(options))).status).toBe(401);
    expect(confirmations()).toEqual([]);
    expect(messages).toEqual([]);
  });

  it("confirms nothing that is not verified where the node only reports it [B7]", async () => {
    const { fetch, confirmations } = amazon();
    const { port } = await served({ fetch }, { enforcement: "report" });

    expect((await send(port, subscription({ topicArn: OTHER_TOPIC }))).status).toBe(200);
    expect(confirmations()).toEqual([]);
  });

  it("answers 503 where SNS does not confirm, so that it asks again [B7]", async () => {
    for (const confirmed of [
      async () => Promise.reject<Response>(new Error("no route to host")),
      () => new Response("", { status: 500 }),
      () => new Response("", { status: 400 }),
    ]) {
      const { port } = await served({ fetch: amazon(confirmed).fetch });

      expect((await send(port, subscription())).status).toBe(503);
    }
  });
});

describe("awsSns, against libraries", () => {
  beforeEach(() => {
    jest.spyOn(https, "get").mockImplementation(((url: string, ...rest: readonly unknown[]) => {
      const response = Object.assign(new EventEmitter(), { statusCode: 200 });
      (rest.at(-1) as (response: EventEmitter) => void)(response);
      queueMicrotask(() => {
        response.emit("data", PEMS[url] ?? "");
        response.emit("end");
      });
      return new EventEmitter();
    }) as never);
  });
  afterEach(() => jest.restoreAllMocks());

  const LIBRARIES: Readonly<Record<string, (text: string) => Promise<unknown>>> = {
    "sns-payload-validator": async (text) => new PayloadValidator({ useCache: false }).validate(text),
    "sns-validator": async (text) =>
      new Promise((resolve, reject) =>
        new MessageValidator().validate(text, (error: Error | null, message?: unknown) => {
          if (error) reject(error);
          else resolve(message);
        }),
      ),
  };
  const libraries = it.each(Object.keys(LIBRARIES));
  const accepts = async (library: string, body: string | Buffer): Promise<boolean> =>
    (LIBRARIES[library] as (text: string) => Promise<unknown>)(body.toString()).then(
      () => true,
      () => false,
    );

  libraries("signs what %s accepts [B7]", async (library) => {
    for (const delivery of [
      signed("é\nx"),
      signed("x", { subject: "a subject" }),
      signed("x", { signatureVersion: "1" }),
      signed("x", { type: "SubscriptionConfirmation" }),
    ]) {
      expect(await accepts(library, delivery.body)).toBe(true);
    }
    // sns-validator takes an UnsubscribeConfirmation for a notification, and refuses it.
    const unsubscription = signed("x", { type: "UnsubscribeConfirmation" });
    expect(await accepts(library, unsubscription.body)).toBe(library === "sns-payload-validator");
  });

  libraries("refuses with %s what is not quite right, and differs only where it is said [B7]", async (library) => {
    const { port } = await served();
    const { Signature = "", SigningCertURL = "", ...unsigned } = ENVELOPE;
    const accepted: string[] = [];
    for (const [name, envelope] of Object.entries({
      "another message": { ...ENVELOPE, Message: "x" },
      "another key": { ...ENVELOPE, SigningCertURL: certUrl("other") },
      "no signature": { ...unsigned, SigningCertURL },
      "another version": { ...ENVELOPE, SignatureVersion: "1" },
      "a version that is none": { ...ENVELOPE, SignatureVersion: "3" },
      "a signature cut short": { ...ENVELOPE, Signature: Signature.slice(4) },
      "a stranger's certificate": { ...ENVELOPE, SigningCertURL: "https://example.com/x.pem" },
      "a message in a list": { ...ENVELOPE, Message: [ENVELOPE["Message"]] },
      "junk behind the signature": { ...ENVELOPE, Signature: `${Signature}%` },
      "a subject that is null": { ...members(signed("x")), Subject: null },
      "another topic": members(signed("x", { topicArn: OTHER_TOPIC })),
      "two hours ago": members(signed("x", { now: NOW - 7_200_000 })),
    })) {
      expect([name, (await send(port, withBody(envelope))).status]).toEqual([name, 401]);
      if (await accepts(library, JSON.stringify(envelope))) accepted.push(name);
    }

    expect(accepted).toEqual([
      "a message in a list",
      "junk behind the signature",
      "a subject that is null",
      "another topic",
      "two hours ago",
    ]);
  });
});
