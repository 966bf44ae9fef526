/**
 * Paddle: its own library as verifier.
 */
import { Paddle } from "@paddle/paddle-node-sdk";
import { paddle } from "express-webhook-node/sources/paddle";
import { signPaddle } from "express-webhook-node/testing/paddle";
import { hmacOf } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { NOW, sourceContract, type FieldMutation } from "./contract";

watchUnhandled();

const SECRET = "pdl_ntfset_01gkpjp8bkm3tm53kdgkx6sms7_6h3qd3uFSi9YCD3OLYAShQI90XTI5vEI";
const OTHER = "pdl_ntfset_another";
const FIELD = "paddle-signature";
const EVENT = {
  event_id: "evt_01hv8wt8nffez4p2t6typn4a5j",
  event_type: "transaction.billed",
  occurred_at: "2024-04-12T10:18:48.831Z",
  notification_id: "ntf_01hv8wt8r5tkkr1n4bq8vzsdr9",
  data: { id: "txn_01hv8wptq8987qeep44cyrewp9", details: { city: "Zürich" } },
};
const BODY = Buffer.from(JSON.stringify(EVENT));

/** A list with one element more, which does not count or is a signature more. */
const hasOneMore = ({ original, mutated }: FieldMutation): boolean => {
  const elements = mutated.split(";");
  const times = elements.filter((element) => element.startsWith("ts="));
  return times.length === 1 && original.split(";").every((element) => elements.includes(element));
};

sourceContract({
  name: "paddle",
  source: paddle,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload, { now }) => signPaddle(payload, { secret: SECRET, now }),
  signTime: (time) => ({ headers: { [FIELD]: `ts=${time};h1=${hmacOf(SECRET, [`${time}:`, BODY])}` }, body: BODY }),
  payload: EVENT,
  messages: [{ deliveryId: EVENT.event_id, eventType: EVENT.event_type }],
  provenance: { deliveryId: "signed", eventType: "signed" },
  proof: [FIELD],
  harmless: hasOneMore,
  toleranceSeconds: 5,
});

const { webhooks } = new Paddle("no API key is needed");

againstSdk({
  sdk: "@paddle/paddle-node-sdk, webhooks.isSignatureValid",
  // The library's five seconds cannot be changed, and a test may be slower, so it signs for half a minute from now.
  source: paddle({ secrets: [SECRET], toleranceSeconds: 60 }),
  sign: ({ isOther, now = Date.now() + 30_000 } = {}) => signPaddle(EVENT, { secret: isOther ? OTHER : SECRET, now }),
  async verifies({ headers, body }) {
    try {
      return await webhooks.isSignatureValid(body.toString(), SECRET, headers[FIELD] as string);
    } catch {
      return false;
    }
  },
  proof: [FIELD],
  isTimed: true,
  differs: {
    "in ten minutes": "it checks the past alone",
    [`${FIELD} twice`]: "two lines are joined, and the last signature is looked at",
    [`${FIELD} twice, last wrong`]: "as above",
  },
});

describe("paddle", () => {
  const time = String(NOW / 1000);
  const right = hmacOf(SECRET, [`${time}:`, BODY]);
  const wrong = hmacOf(OTHER, [`${time}:`, BODY]);

  it.each([
    [`ts=${time};h1=${right}`, 200],
    [`h1=${right};ts=${time}`, 200],
    // Two secrets while one is rotated.
    [`ts=${time};h1=${wrong};h1=${right}`, 200],
    [`ts=${time};h1=${right};h1=${wrong}`, 200],
    [`ts=${time};h1=${right};h2=${wrong}`, 200],
    [`ts=${time};h1=${wrong}`, 401],
    [`ts=${time};h2=${right}`, 401],
    [`ts=${time};H1=${right}`, 401],
    [`ts=${time}; h1=${right}`, 401],
    [`ts=${time},h1=${right}`, 401],
    [`ts=${time};h1=${right};`, 401],
    [`ts=${time};h1=${right}0`, 401],
    [`ts=${time};ts=${time};h1=${right}`, 401],
    [`ts=1;ts=${time};h1=${right}`, 401],
    [`ts=;h1=${right}`, 401],
    [`ts=${time};h1=`, 401],
    [`ts=${time}`, 401],
    [`h1=${right}`, 401],
    [right, 401],
    // What is signed is parted by a colon, not by Stripe's dot.
    [`ts=${time};h1=${hmacOf(SECRET, [`${time}.`, BODY])}`, 401],
  ])("answers %s with %i [B7]", async (field, status) => {
    const { port } = await serveNode({ source: paddle({ secrets: [SECRET], now: () => NOW }) });

    expect((await send(port, { headers: { [FIELD]: field }, body: BODY })).status).toBe(status);
  });

  it("answers before Paddle's five seconds are over [T17]", () => {
    expect(paddle({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
