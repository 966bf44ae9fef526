/**
 * Linear: its own library as verifier.
 */
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { linear } from "express-webhook-node/sources/linear";
import { signLinear } from "express-webhook-node/testing/linear";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract } from "./contract";

watchUnhandled();

const SECRET = "lin_wh_IbiCNIZCBNOlnpLvEVRNvFPyGMqs";
const OTHER = "lin_wh_another";
const FIELD = "linear-signature";
const ID = "234d1a4e-b617-4388-90fe-adc3633d6b72";
const EVENT = {
  action: "create",
  type: "Comment",
  createdAt: "2020-01-23T12:53:18.084Z",
  data: { id: "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9", body: "Indeed, I think this is – ☕" },
  webhookId: "000042e3-d123-4980-b49f-8e140eef9329",
};

sourceContract({
  name: "linear",
  source: linear,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signLinear(payload, { secret: SECRET, now, deliveryId: ID }),
  payload: EVENT,
  messages: [{ deliveryId: ID, eventType: EVENT.type }],
  provenance: { deliveryId: "unsigned", eventType: "signed" },
  proof: [FIELD],
  toleranceSeconds: 60,
});

againstSdk({
  sdk: "@linear/sdk, LinearWebhookClient.verify",
  source: linear({ secrets: [SECRET] }),
  sign: ({ isOther, now } = {}) => signLinear(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  verifies({ headers, body }) {
    try {
      return new LinearWebhookClient(SECRET).verify(body, headers[FIELD] as string);
    } catch {
      return false;
    }
  },
  proof: [FIELD],
  isTimed: true,
});

describe("linear", () => {
  it.each([
    ['{"type":"Issue"}', 401],
    ['{"webhookTimestamp":null}', 401],
    [`{"webhookTimestamp":"${NOW}"}`, 401],
    [`{"webhookTimestamp":[${NOW}]}`, 401],
    [`{"webhookTimestamp":${NOW / 1000}}`, 401],
    [`{"webhookTimestamp":-${NOW}}`, 401],
    ['{"webhookTimestamp":1e400}', 401],
    ['{"webhookTimestamp":true}', 401],
    [`{"__proto__":{"webhookTimestamp":${NOW}}}`, 401],
    [`{"data":{"webhookTimestamp":${NOW}}}`, 401],
    [`[${NOW}]`, 401],
    [`${NOW}`, 401],
    ["null", 401],
    ["{", 400],
    [`{"webhookTimestamp":${NOW}}`, 200],
    [`{"webhookTimestamp":${NOW - 60_000}}`, 200],
    [`{"webhookTimestamp":${NOW - 60_001}}`, 401],
    [`{"webhookTimestamp":${NOW + 60_001}}`, 401],
  ])("answers the signed body %s with %i [B7]", async (body, status) => {
    const { port } = await serveNode({ source: linear({ secrets: [SECRET], now: () => NOW }) });

    expect((await send(port, signLinear(body, { secret: SECRET, now: NOW }))).status).toBe(status);
  });

  it("reads the time that is signed, whatever the field says [B7]", async () => {
    const { port } = await serveNode({ source: linear({ secrets: [SECRET], now: () => NOW }) });
    const old = signLinear(EVENT, { secret: SECRET, now: NOW - 3_600_000 });
    const fresh = signLinear(EVENT, { secret: SECRET, now: NOW });
    const withTime = (delivery: typeof old, time: string) => ({
      ...delivery,
      headers: { ...delivery.headers, "linear-timestamp": time },
    });

    expect((await send(port, withTime(old, String(NOW)))).status).toBe(401);
    expect((await send(port, withTime(fresh, "1"))).status).toBe(200);
  });

  it("parses nothing that is not signed [B2]", async () => {
    const { port } = await serveNode({ source: linear({ secrets: [SECRET] }) });
    const { headers } = signLinear(EVENT, { secret: SECRET });

    expect((await send(port, { headers, body: "{" })).status).toBe(401);
    expect((await send(port, { headers, body: "[".repeat(10_000) })).status).toBe(401);
  });

  it("answers before Linear's five seconds are over [T17]", () => {
    expect(linear({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
