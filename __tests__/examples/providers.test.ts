/**
 * The examples of providers, each run as a user would run it: its app, and deliveries as the provider signs them.
 */
import { generateKeyPairSync } from "node:crypto";
import type { Express } from "express";
import type { Message } from "express-webhook-node";
import { deliver, send, sign, type SignedDelivery } from "express-webhook-node/testing";
import { recordingLogger, send as request, serveApp } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const url = "https://example.com/webhooks/twilio";
const ed25519 = generateKeyPairSync("ed25519");
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const raw = Buffer.from(ed25519.publicKey.export({ format: "jwk" }).x as string, "base64url").toString("hex");
const spki = p256.publicKey.export({ type: "spki", format: "der" }).toString("base64");

function open(provider: string, options: object): { readonly app: Express; readonly messages: Message[] } {
  const { createApp } = require(`../../examples/providers/${provider}.js`) as {
    createApp: (options: object) => Express;
  };
  const messages: Message[] = [];
  const emitter = async (message: Message): Promise<void> => void messages.push(message);
  return { app: createApp({ ...options, emitter, logger: recordingLogger([]) }), messages };
}

describe("examples/providers", () => {
  it.each<[provider: string, options: object, delivery: SignedDelivery, path?: string]>([
    ["github", { secret }, sign.github({ action: "opened" }, { secret, event: "issues" })],
    ["stripe", { secret }, sign.stripe({ id: "evt_1", type: "invoice.paid" }, { secret })],
    ["slack", { secret }, sign.slack({ type: "event_callback", event_id: "Ev1" }, { secret })],
    ["shopify", { secret: "new", oldSecret: secret }, sign.shopify({ id: 7 }, { secret })],
    ["discord", { publicKey: raw }, sign.discord({ type: 1, event: { type: "ENTITLEMENT_CREATE" } }, ed25519)],
    ["meta", { appSecret: secret, verifyToken: "chosen" }, sign.meta({ object: "page" }, { secret })],
    ["sendgrid", { publicKey: spki }, sign.sendgrid([{ event: "open", sg_event_id: "1" }], p256)],
    ["gitlab", { secret }, sign.gitlab({ object_kind: "push" }, { secret })],
    ["standard-webhooks", { secret }, sign.standardWebhooks({ type: "a" }, { secret })],
  ])("%s: takes what is signed, and refuses what is not [B7]", async (provider, options, delivery) => {
    const { app, messages } = open(provider, options);
    const path = `/webhooks/${provider}`;
    const forged = Buffer.concat([delivery.body, Buffer.from(" ")]);

    expect((await send(app, { ...delivery, body: forged }, { path })).status).toBe(401);
    expect((await send(app, delivery, { path })).status).toBeLessThan(205);
    expect(messages).toHaveLength(1);
  });

  it("twilio: goes by the URL that Twilio signs [B7]", async () => {
    const { app, messages } = open("twilio", { authToken: secret, url });
    expect((await deliver(app, "twilio", { a: 1 }, { secret: "other", url })).status).toBe(401);
    expect((await deliver(app, "twilio", { a: 1 }, { secret, url })).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it("stripe: answers other types and emits none of them [J4]", async () => {
    const { app, messages } = open("stripe", { secret });
    const { status } = await send(app, sign.stripe({ id: "evt_1", type: "charge.failed" }, { secret }), {
      path: "/webhooks/stripe",
    });
    expect([status, messages.length]).toEqual([200, 0]);
  });

  it("standard-webhooks: emits what is sent twice once [J3]", async () => {
    const { app, messages } = open("standard-webhooks", { secret });
    const delivery = sign.standardWebhooks({ type: "a" }, { secret });
    const first = await send(app, delivery, { path: "/webhooks/standard-webhooks" });
    const second = await send(app, delivery, { path: "/webhooks/standard-webhooks" });
    expect([messages.length, second.json]).toEqual([1, first.json]);
  });

  it("meta: answers the question that comes by GET [T7]", async () => {
    const { app } = open("meta", { appSecret: secret, verifyToken: "chosen" });
    const { port } = await serveApp(app);
    const query = "hub.mode=subscribe&hub.verify_token=chosen&hub.challenge=42";
    const { status, text } = await request(port, { method: "GET", path: `/webhooks/meta?${query}` });
    expect([status, text]).toEqual([200, "42"]);
  });
});
