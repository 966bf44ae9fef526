/**
 * WooCommerce: no library verifies its webhooks, so the code by which it signs, written anew, does; and its ping.
 */
import { createHmac } from "node:crypto";
import { woocommerce } from "express-webhook-node/sources/woocommerce";
import { signWoocommerce } from "express-webhook-node/testing/woocommerce";
import { exchange, send, serveNode, type Sent } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "M&v|0U=I9k?T(;!)!JJ";
const OTHER = "another secret";
const FIELD = "x-wc-webhook-signature";
const ID = "d5b4e0aee2aa9e3d5c07b6a3f1b6d4f2";
const ORDER = { id: 727, status: "processing", total: "29.35", billing: { first_name: "Zoë" } };

sourceContract({
  name: "woocommerce",
  source: woocommerce,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signWoocommerce(payload, { secret: SECRET, deliveryId: ID, topic: "order.updated" }),
  payload: ORDER,
  messages: [{ deliveryId: ID, eventType: "order.updated" }],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: [FIELD],
});

describe("woocommerce", () => {
  // WC_Webhook::generate_signature in WooCommerce's plugin: base64 of the HMAC's octets
  it("signs, and verifies, as the plugin does [B7]", async () => {
    const { port } = await serveNode({ source: woocommerce({ secrets: [SECRET] }) });
    const { headers, body } = signWoocommerce(ORDER, { secret: SECRET });
    const documented = createHmac("sha256", SECRET).update(body).digest("base64");

    expect(headers[FIELD]).toBe(documented);
    expect((await send(port, { headers: { [FIELD]: documented }, body })).status).toBe(200);
  });

  it("keeps apart two orders of one second, which share a delivery id [J3]", async () => {
    const { port, messages } = await serveNode({ source: woocommerce({ secrets: [SECRET] }) });
    for (const id of [1, 2]) await send(port, signWoocommerce({ id }, { secret: SECRET, deliveryId: ID }));

    expect(messages.map(({ deliveryId }) => deliveryId)).toEqual([ID, ID]);
    expect(messages[0]?.key).not.toBe(messages[1]?.key);
  });

  it("answers HTTP/1.0, which shops speak, and ends the connection [B7]", async () => {
    const { port, messages } = await serveNode({ source: woocommerce({ secrets: [SECRET] }) });
    const { headers, body } = signWoocommerce(ORDER, { secret: SECRET });
    const fields = Object.entries({
      host: "shop.example",
      ...headers,
      "content-length": body.length,
      connection: "close",
    });
    const lines = ["POST / HTTP/1.0", ...fields.map(([name, value]) => `${name}: ${value}`), "", ""];
    const answered = await exchange(port, [lines.join("\r\n"), body]);

    expect(answered).toMatchObject({ statuses: [200], isClosed: true });
    expect(messages).toHaveLength(1);
  });

  const form = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };

  it.each([1, 20_000, Number.MAX_SAFE_INTEGER])(
    "answers the ping of the webhook %d, and emits nothing [B7]",
    async (id) => {
      const { port, messages, outcomes } = await serveNode({ source: woocommerce({ secrets: [SECRET] }) });

      expect(await send(port, { headers: form, body: `webhook_id=${id}` })).toMatchObject({ status: 200, text: "" });
      expect(messages).toEqual([]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(["answered"]);
    },
  );

  it.each<readonly [string, Sent, number]>([
    ["with a signature", { headers: { ...form, [FIELD]: "x" }, body: "webhook_id=1" }, 415],
    ["by another method", { method: "PUT", headers: form, body: "webhook_id=1" }, 405],
    ["that is longer", { headers: form, body: `webhook_id=1&${"x".repeat(20)}` }, 415],
    ["that is shorter", { headers: form, body: "webhook_id=" }, 415],
    ["in chunks", { headers: form, body: ["webhook_id", "=1"] }, 415],
    ["as JSON", { body: "webhook_id=1" }, 401],
    ["by another media type", { headers: { "content-type": "text/plain" }, body: "webhook_id=1" }, 415],
  ])("takes no form for a ping %s [B7, A2]", async (_, sent, status) => {
    const { port, messages } = await serveNode({ source: woocommerce({ secrets: [SECRET] }) });

    expect((await send(port, sent)).status).toBe(status);
    expect(messages).toEqual([]);
  });
});
