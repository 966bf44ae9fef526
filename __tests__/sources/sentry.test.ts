/**
 * Sentry: no library verifies its webhooks, so the code of its documentation, written anew, does.
 */
import { createHmac } from "node:crypto";
import { sentry } from "express-webhook-node/sources/sentry";
import { signSentry } from "express-webhook-node/testing/sentry";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "0b1cd2a1b5d74b7ea5e1a3b1b4b1f0d9c1a2b3c4d5e6f708192a3b4c5d6e7f80";
const OTHER = "another secret";
const FIELD = "sentry-hook-signature";
const ID = "3fb6d2c1a5a94a0b8f0f7f6a7c0e5a11";
const EVENT = {
  action: "created",
  installation: { uuid: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" },
  data: { issue: { id: "1170820242", title: "ReferenceError: naïve is not defined" } },
  actor: { type: "application", id: "sentry", name: "Sentry" },
};

sourceContract({
  name: "sentry",
  source: sentry,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signSentry(payload, { secret: SECRET, deliveryId: ID }),
  payload: EVENT,
  messages: [{ deliveryId: ID, eventType: "issue.created" }],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: [FIELD],
});

describe("sentry", () => {
  const served = () => serveNode({ source: sentry({ secrets: [SECRET] }) });

  // https://docs.sentry.io/integrations/integration-platform/webhooks/: HMAC-SHA256 of the body in hex, with the client secret
  it("signs, and verifies, as the documentation does [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signSentry(EVENT, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body.toString(), "utf8").digest("hex");

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it.each([
    [{ action: "triggered" }, "event_alert", "event_alert.triggered"],
    [{ action: "critical" }, "metric_alert", "metric_alert.critical"],
    [{}, "installation", "installation"],
    [{ action: "created" }, undefined, undefined],
  ])("makes of %j and the resource %s the event type %s [G2]", async (payload, resource, eventType) => {
    const { port, messages } = await served();
    const { headers, body } = signSentry(payload, { secret: SECRET, resource });
    const { "sentry-hook-resource": _, ...others } = headers;
    await send(port, { headers: resource === undefined ? others : headers, body });

    expect(messages.map((message) => message.eventType)).toEqual([eventType]);
  });

  it("does not look at the time, which nothing signs [B7]", async () => {
    const { port } = await served();
    const { headers, body } = signSentry(EVENT, { secret: SECRET, now: 0 });

    expect(headers["sentry-hook-timestamp"]).toBe("0");
    expect((await send(port, { headers, body })).status).toBe(200);
  });

  it("answers before Sentry's one second is over [T17]", () => {
    expect(sentry({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(1000);
  });
});
