/**
 * A small source: one provider's verification, with what belongs to it.
 */
import { createHmac } from "node:crypto";
import { createWebhookNode, hmacAuthenticator, type Source } from "express-webhook-node";
import { recordingLogger, send, serve, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

type ShopEvent = { readonly id: string; readonly kind: string; readonly total: number };

/** A provider that signs the body, and wants `202 {"ok":true}` for a success and an empty 401 for a wrong signature. */
function shop(secrets: readonly (string | undefined)[], traits: Partial<Source<ShopEvent>> = {}): Source<ShopEvent> {
  return {
    name: "shop",
    authenticator: hmacAuthenticator({ name: "shop", header: "X-Shop-Signature", secrets }),
    deliveryId: ({ payload }) => payload.id,
    eventType: ({ request }) => request.headers["x-shop-event"] as string | undefined,
    provenance: { deliveryId: "signed", eventType: "unsigned" },
    success: { status: 202, body: { ok: true } },
    refusal: {},
    ...traits,
  };
}

const SECRET = "a secret of the shop";
const body = '{"id":"d-1","kind":"order","total":7}';
const headers = {
  "x-shop-signature": createHmac("sha256", SECRET).update(body).digest("hex"),
  "x-shop-event": "order.created",
};

describe("a source", () => {
  it("names provider, delivery and event in message and outcome [B1, G2, J4]", async () => {
    const { port, messages, outcomes } = await serveNode({ source: shop([SECRET]) });
    await send(port, { headers, body });

    expect(messages[0]).toMatchObject({
      source: "shop",
      deliveryId: "d-1",
      eventType: "order.created",
      provenance: { deliveryId: "signed", eventType: "unsigned" },
      sender: { name: "shop", scopes: [] },
      payload: { id: "d-1", kind: "order", total: 7 },
    });
    expect(outcomes[0]).toMatchObject({
      kind: "delivered",
      status: 202,
      source: "shop",
      deliveryId: "d-1",
      eventType: "order.created",
      trackingId: messages[0]!.trackingId,
    });
  });

  it("answers a success and a wrong proof as its provider wants them [B7, C1, J1]", async () => {
    const { port, messages, outcomes } = await serveNode({ source: shop([SECRET]) });
    const success = await send(port, { headers, body });
    const refusal = await send(port, { body });

    expect([success.status, success.text, success.headers["content-type"]]).toEqual([
      202,
      '{"ok":true}',
      "application/json",
    ]);
    expect([refusal.status, refusal.text, refusal.headers["content-type"]]).toEqual([401, "", undefined]);
    expect(messages).toHaveLength(1);
    expect(outcomes.map(({ kind, status, source }) => [kind, status, source])).toEqual([
      ["delivered", 202, "shop"],
      ["refused", 401, "shop"],
    ]);
  });

  it("answers what is no wrong proof as any node does [C1]", async () => {
    const { port } = await serveNode({ source: shop([SECRET]) });

    expect((await send(port, { body: "no json" })).status).toBe(401);
    expect((await send(port, { headers: { "content-type": "text/plain" }, body })).json.code).toBe(
      "ERR_WEBHOOK_CONTENT_TYPE",
    );
    expect((await send(port, { method: "GET" })).json.code).toBe("ERR_WEBHOOK_METHOD");
  });

  it.each<[string, Partial<Source<ShopEvent>>, object, number, unknown]>([
    ["nothing said of it", { success: undefined }, {}, 200, { trackingId: expect.stringMatching(/^[0-9a-f]{32}$/) }],
    ["a status alone", { success: { status: 201 } }, {}, 201, { trackingId: expect.any(String) }],
    ["a value alone", { success: { body: ["ok"] } }, {}, 200, ["ok"]],
    ["no content", { success: { status: 204, body: undefined } }, {}, 204, undefined],
    ["a status of the node's own", {}, { status: 200 }, 200, { ok: true }],
    ["content of the node's own", {}, { respond: () => "yes" }, 202, "yes"],
  ])("has its success answered with %s [J1]", async (_, traits, options, status, json) => {
    const { port } = await serveNode({ source: shop([SECRET], traits), ...options });
    const answered = await send(port, { headers, body });

    expect([answered.status, answered.json]).toEqual([status, json]);
  });

  it.each<[string, Partial<Source<ShopEvent>>, number, unknown]>([
    [
      "nothing said of it",
      { refusal: undefined },
      401,
      expect.objectContaining({ status: 401, code: "ERR_WEBHOOK_HTTP_EXCEPTION" }),
    ],
    ["a status alone", { refusal: { status: 403 } }, 403, undefined],
    ["a value alone", { refusal: { body: { error: "signature" } } }, 401, { error: "signature" }],
  ])("has a wrong proof answered with %s [B7, C1]", async (_, traits, status, json) => {
    const { port, outcomes } = await serveNode({ source: shop([SECRET], traits) });
    const answered = await send(port, { body });

    expect([answered.status, answered.json]).toEqual([status, json]);
    expect(outcomes.map((outcome) => [outcome.kind, outcome.status])).toEqual([["refused", status]]);
  });

  it("may know neither id nor type of a delivery, which are absent then [G1]", async () => {
    const { port, messages } = await serveNode({
      source: shop([SECRET], { deliveryId: () => undefined, eventType: undefined, provenance: undefined }),
    });
    await send(port, { headers, body });

    for (const member of ["deliveryId", "eventType", "provenance"]) expect(messages[0]).not.toHaveProperty(member);
  });

  it("that fails to read a delivery fails it, and nothing is emitted [C2]", async () => {
    const { port, messages, outcomes } = await serveNode({ source: shop([SECRET]) });
    const nothing = "null";
    const signature = createHmac("sha256", SECRET).update(nothing).digest("hex");
    const answered = await send(port, { headers: { "x-shop-signature": signature }, body: nothing });

    expect([answered.status, answered.json.code]).toEqual([500, "ERR_WEBHOOK_INTERNAL"]);
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["failed"]);
  });

  it("types the payload that the emitter is handed [B1]", async () => {
    const totals: number[] = [];
    const node = createWebhookNode({
      source: shop([SECRET]),
      logger: recordingLogger([]),
      groupId: (message) => message.payload.kind,
      respond: ({ payload }) => payload.total + 1,
      emitter: async (message) => {
        totals.push(message.payload.total);
        // @ts-expect-error -- an order has no such member
        expect(message.payload.price).toBeUndefined();
      },
    });
    const { port } = await serve(node);

    expect((await send(port, { headers, body })).json).toBe(8);
    expect(totals).toEqual([7]);
  });

  it("throws at start where its secret is missing [B1]", () => {
    expect(() => shop([process.env["SHOP_SECRET_THAT_IS_NOT_SET"]])).toThrow("is its environment variable set?");
  });
});
