/**
 * Shopify: its own library as verifier, for both families of header fields.
 */
import { shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import { shopify } from "express-webhook-node/sources/shopify";
import { signShopify } from "express-webhook-node/testing/shopify";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "hush";
const OTHER = "another secret";
const ID = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043";
const ORDER = { id: 820_982_911_946_154_508n.toString(), email: "jon@example.com", total_price: "403.00" };
const { webhooks } = shopifyApi({
  apiKey: "none",
  apiSecretKey: SECRET,
  apiVersion: "2026-10" as never,
  hostName: "example.com",
  isEmbeddedApp: false,
  logger: { log: () => {} },
});

describe.each(["webhooks", "events"] as const)("with the header fields of %s", (family) => {
  const proof = [family === "events" ? "shopify-hmac-sha256" : "x-shopify-hmac-sha256"];

  sourceContract({
    name: "shopify",
    source: shopify,
    options: { secrets: [SECRET] },
    otherKeys: { secrets: [OTHER] },
    sign: (payload) => signShopify(payload, { secret: SECRET, deliveryId: ID, family }),
    payload: ORDER,
    messages: [{ deliveryId: ID, eventType: "orders/create" }],
    provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    proof,
  });

  againstSdk({
    sdk: "@shopify/shopify-api, webhooks.validate",
    source: shopify({ secrets: [SECRET] }),
    sign: ({ isOther } = {}) => signShopify(ORDER, { secret: isOther ? OTHER : SECRET, family }),
    verifies: async ({ headers, body }) => {
      const rawRequest = { headers, method: "POST", url: "/" };
      return (await webhooks.validate({ rawBody: body.toString(), rawRequest, rawResponse: {} })).valid;
    },
    proof,
  });
});

describe("shopify", () => {
  it("looks at the family of events where both come, and reads its other fields there [G2]", async () => {
    const { port, messages } = await serveNode({ source: shopify({ secrets: [SECRET] }) });
    const webhook = signShopify(ORDER, { secret: SECRET, topic: "orders/create", deliveryId: "1" });
    const event = signShopify(ORDER, { secret: SECRET, topic: "orders/update", deliveryId: "2", family: "events" });
    const wrong = signShopify(ORDER, { secret: OTHER, family: "events" });

    expect((await send(port, { headers: { ...webhook.headers, ...event.headers }, body: event.body })).status).toBe(
      200,
    );
    expect((await send(port, { headers: { ...webhook.headers, ...wrong.headers }, body: event.body })).status).toBe(
      401,
    );
    expect(messages).toMatchObject([{ deliveryId: "2", eventType: "orders/update" }]);
  });

  it("needs no field but the proof, where the library also wants topic, shop, version and id [B7]", async () => {
    const { port, messages } = await serveNode({ source: shopify({ secrets: [SECRET] }) });
    const { headers, body } = signShopify(ORDER, { secret: SECRET });
    const proof = { "x-shopify-hmac-sha256": headers["x-shopify-hmac-sha256"] as string };
    const rawRequest = { headers: proof, method: "POST", url: "/" };

    expect((await send(port, { headers: proof, body })).status).toBe(200);
    expect(await webhooks.validate({ rawBody: body.toString(), rawRequest, rawResponse: {} })).toMatchObject({
      valid: false,
      reason: "missing_headers",
    });
    expect([messages[0]!.deliveryId, messages[0]!.eventType]).toEqual([undefined, undefined]);
  });

  it("answers before Shopify's five seconds are over [T17]", () => {
    expect(shopify({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
