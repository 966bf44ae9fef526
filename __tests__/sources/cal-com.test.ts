/**
 * Cal.com: no library verifies its webhooks, so the code by which it signs, written anew, does.
 */
import { createHmac } from "node:crypto";
import { calCom } from "express-webhook-node/sources/cal-com";
import { signCalCom } from "express-webhook-node/testing/cal-com";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "cal secret";
const OTHER = "another secret";
const FIELD = "x-cal-signature-256";
const EVENT = {
  triggerEvent: "BOOKING_CREATED",
  createdAt: "2023-05-24T09:30:00.538Z",
  payload: { title: "60min between Pro Example and Zoë", bookingId: 91, uid: "bFJeNb2uX8ANpT3JL5EfXw" },
};

sourceContract({
  name: "calCom",
  sourceName: "cal-com",
  source: calCom,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signCalCom(payload, { secret: SECRET }),
  payload: EVENT,
  messages: [{ deliveryId: undefined, eventType: "BOOKING_CREATED" }],
  provenance: { eventType: "signed" },
  proof: [FIELD],
});

describe("calCom", () => {
  const served = () => serveNode({ source: calCom({ secrets: [SECRET] }) });

  // createWebhookSignature in Cal.com's code: HMAC-SHA256 of the body in hex
  it("signs, and verifies, as Cal.com's code does [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signCalCom(EVENT, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body.toString()).digest("hex");

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it("answers a ping that is signed, and does not emit it [J4]", async () => {
    const { port, messages, outcomes } = await served();
    const ping = { ...EVENT, triggerEvent: "PING" };

    expect((await send(port, signCalCom(ping, { secret: SECRET }))).status).toBe(200);
    expect((await send(port, signCalCom(ping, { secret: OTHER }))).status).toBe(401);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answered", "refused"]);
  });

  it("refuses what a webhook without a secret sends, and tells the log what to do [B7]", async () => {
    const { port, messages, lines } = await served();
    const { body } = signCalCom(EVENT, { secret: SECRET });

    expect((await send(port, { headers: { [FIELD]: "no-secret-provided" }, body })).status).toBe(401);
    expect(lines.join()).toContain("set one there");
    expect(messages).toEqual([]);
  });

  it("refuses a form, which a template that is not JSON makes [A2]", async () => {
    const { port } = await served();
    const { headers, body } = signCalCom("a=b", { secret: SECRET });
    const form = { ...headers, "content-type": "application/x-www-form-urlencoded" };

    expect((await send(port, { headers: form, body })).status).toBe(415);
  });
});
