/**
 * The helpers for users' tests, as a user's test calls them.
 */
import { X509Certificate } from "node:crypto";
import { createServer } from "node:http";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import { createWebhookNode, type Message } from "express-webhook-node";
import { awsSns } from "express-webhook-node/sources/aws-sns";
import { github } from "express-webhook-node/sources/github";
import { paypal } from "express-webhook-node/sources/paypal";
import { square } from "express-webhook-node/sources/square";
import { stripe } from "express-webhook-node/sources/stripe";
import { twilio } from "express-webhook-node/sources/twilio";
import { deliver, githubExamples, send, sign, testCertificate } from "express-webhook-node/testing";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const secret = "hush";
const messages: Message[] = [];
const emitter = async (message: Message): Promise<void> => void messages.push(message);
beforeEach(() => void messages.splice(0));

function appOf(path: string, source: Parameters<typeof createWebhookNode>[0]["source"]): express.Express {
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  return express().use(path, createWebhookNode({ source, emitter, logger }));
}

describe("deliver", () => {
  it("delivers to an app as the provider does [B7]", async () => {
    const app = appOf("/webhooks/github", github({ secrets: [secret] }));
    const { status, json, headers } = await deliver(
      app,
      "github",
      { zen: "Keep it simple." },
      { secret, event: "issues", path: "/webhooks/github" },
    );
    expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
    expect(json).toEqual({ trackingId: messages[0]?.trackingId });
    expect(messages[0]).toMatchObject({ payload: { zen: "Keep it simple." }, eventType: "issues" });
  });

  it("is refused as the provider is, by another secret or a time long past [B7]", async () => {
    const app = appOf("/", stripe({ secrets: [secret] }));
    const payload = { id: "evt_1", object: "event", type: "charge.succeeded" };
    expect((await deliver(app, "stripe", payload, { secret: "other" })).status).toBe(401);
    expect((await deliver(app, "stripe", payload, { secret, now: Date.now() - 3_600_000 })).status).toBe(401);
    expect((await deliver(app, "stripe", payload, { secret })).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it("goes where the URL says that the provider signs [B7]", async () => {
    const url = "https://example.com/hooks/in?a=1";
    const app = appOf("/hooks/in", twilio({ secrets: [secret], url }));
    expect((await deliver(app, "twilio", { a: 1 }, { secret, url })).status).toBe(200);
    const other = appOf("/hooks/in", square({ secrets: [secret], url }));
    expect((await deliver(other, "square", { event_id: "1" }, { secret, url })).status).toBe(200);
  });

  it("sends header fields besides, and takes a server that listens already", async () => {
    const server = createServer(appOf("/", github({ secrets: [secret] })));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const gone = await deliver(server, "github", {}, { secret, headers: { "content-type": "text/plain" } });
    const taken = await deliver(server, "github", {}, { secret });
    await new Promise((resolve) => server.close(resolve));
    expect([gone.status, taken.status]).toEqual([415, 200]);
  });

  it("survives that the rest of a body is not read, as a provider does [T5]", async () => {
    const app = appOf("/", github({ secrets: [secret] }));
    const large = { headers: { "content-type": "application/json" }, body: Buffer.alloc(32 * 1_048_576) };
    for (let n = 0; n < 5; n++) expect((await send(app, large)).status).toBe(413);
  });

  it("says which sources there are", async () => {
    const app = appOf("/", github({ secrets: [secret] }));
    await expect(deliver(app, "gitbub" as "github", {}, { secret })).rejects.toThrow(/gitbub.*github/);
  });

  it.each([
    ["aws-sns", "awsSns"],
    ["standard-webhooks", "standardWebhooks"],
    ["Stripe", "stripe"],
  ])("asks of %s whether %s was meant", async (name, meant) => {
    await expect(deliver(() => {}, name as "github", {}, { secret })).rejects.toThrow(
      new TypeError(`deliver: there is no source "${name}". Did you mean ${meant}?`),
    );
  });

  it.each([undefined, {}, "secret", { secret: undefined }])("says which option is missing in %j", async (options) => {
    const app = appOf("/", github({ secrets: [secret] }));
    await expect(deliver(app, "github", {}, options as never)).rejects.toThrow(
      new TypeError("sign.github: the option secret is missing."),
    );
  });

  it("knows what every signer needs", () => {
    for (const [name, signer] of Object.entries(sign) as [string, (payload: unknown, options?: object) => unknown][]) {
      const options: Record<string, string> = {};
      let said = "";
      // The wrong kind of key is a failure of its own.
      const failure = (): string => {
        try {
          signer({}, options);
          return "";
        } catch (error) {
          return (error as Error).message;
        }
      };
      for (let word; (word = /^sign\.\w+: the option (\w+) is missing\.$/.exec((said = failure()))?.[1]);) {
        options[word] = "https://a.example/";
      }
      expect([name, said]).not.toEqual([name, expect.stringMatching(/undefined|reading|destructure/)]);
    }
    expect(() => sign.square({}, { secret } as never)).toThrow("sign.square: the option url is missing.");
    expect(() => sign.github({}, null as never)).toThrow("sign.github: the options must be one object.");
  });

  it.each([undefined, {}, "http://127.0.0.1"])("takes no app that is %j", async (app) => {
    await expect(deliver(app as never, "github", {}, { secret })).rejects.toThrow(
      /^send: .* is neither an Express app/,
    );
  });

  it("says that a server does not listen yet", async () => {
    await expect(deliver(createServer(), "github", {}, { secret })).rejects.toThrow("does not listen yet");
  });

  it("has a signer for every source [B7]", () => {
    const files = readdirSync(join(__dirname, "../../lib/testing")).map((file) => file.replace(/\.ts$/, ""));
    const signers = files.filter(
      (name) => !["deliver", "github-examples", "index", "sign", "signed", "test-certificate"].includes(name),
    );
    const plain = (name: string): string => name.replace(/-/g, "").toLowerCase();
    expect(Object.keys(sign).map(plain).toSorted()).toEqual(signers.map(plain).toSorted());
  });
});

describe("testCertificate", () => {
  const { fetch } = testCertificate;

  it("signs for SNS, and for PayPal, unless told otherwise [B7]", async () => {
    const topicArn = "arn:aws:sns:us-east-1:123456789012:orders";
    const sns = appOf("/sns", awsSns({ topicArns: [topicArn], fetch }));
    expect((await deliver(sns, "awsSns", { n: 1 }, { topicArn, path: "/sns" })).status).toBe(200);
    const type = "SubscriptionConfirmation";
    expect((await deliver(sns, "awsSns", "", { topicArn, type, path: "/sns" })).status).toBe(200);
    expect(messages).toMatchObject([{ payload: { Message: '{"n":1}' } }]);

    const webhookId = "3RN13029J36659323";
    const event = { event_type: "PAYMENT.SALE.COMPLETED" };
    expect((await deliver(appOf("/", paypal({ webhookId, fetch })), "paypal", event, { webhookId })).status).toBe(200);
    const other = appOf("/", paypal({ webhookId: "another", fetch }));
    expect((await deliver(other, "paypal", event, { webhookId })).status).toBe(401);
  });

  it("is valid whatever the clock says, and has its private key", () => {
    const certificate = new X509Certificate(testCertificate.certificate);
    expect(certificate.checkPrivateKey(testCertificate.privateKey)).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBe(0);
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.parse("9999-12-31"));
    expect(certificate.subject).toContain("For tests alone");
  });
});

describe("githubExamples", () => {
  it("has the payloads of an event, and of all [B7]", async () => {
    const app = appOf("/", github({ secrets: [secret] }));
    const [first] = githubExamples("issues");
    const { status } = await deliver(app, "github", first?.payload, { secret, event: "issues" });
    expect([status, messages[0]?.eventType, messages[0]?.payload]).toEqual([200, "issues", first?.payload]);
    expect(githubExamples().length).toBeGreaterThan(300);
    expect(() => githubExamples("no such event")).toThrow(TypeError);
  });
});
