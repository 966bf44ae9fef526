/**
 * Each example is run as a user would run it: by its app, over HTTP.
 */
import { createHash, createHmac } from "node:crypto";
import type { Express } from "express";
import type { Emitter, Message } from "express-webhook-node";
import { recordingLogger, send, serveApp } from "../support/serve";

const sign = (secret: string, body: string): string => createHmac("sha256", secret).update(body).digest("hex");

function keeping(): { readonly messages: Message[]; readonly emitter: Emitter } {
  const messages: Message[] = [];
  return { messages, emitter: async (message) => void messages.push(message) };
}

describe("examples/github.js", () => {
  const { createApp } = require("../../examples/github.js") as { createApp: (options: object) => Express };
  const body = '{"action":"opened"}';
  const fields = (secret: string) => ({
    "x-hub-signature-256": `sha256=${sign(secret, body)}`,
    "x-github-event": "issues",
  });

  it("receives from the own account, and from partners by their own secrets [A1, B1]", async () => {
    const { messages, emitter } = keeping();
    const partners = new Map([["acme", "theirs"]]);
    const { port } = await serveApp(createApp({ secret: "ours", partners, emitter, logger: recordingLogger([]) }));

    expect((await send(port, { path: "/webhooks/github", headers: fields("ours"), body })).status).toBe(200);
    expect((await send(port, { path: "/partners/acme/github", headers: fields("theirs"), body })).status).toBe(200);
    expect((await send(port, { path: "/partners/acme/github", headers: fields("ours"), body })).status).toBe(401);
    expect((await send(port, { path: "/partners/other/github", headers: fields("theirs"), body })).status).toBe(401);
    expect((await send(port, { method: "GET" })).text).toBe("Send webhooks to /webhooks/github\n");
    expect(messages.map(({ node, fields: carried }) => [node, carried["x-github-event"]])).toEqual([
      ["github", "issues"],
      ["partners", "issues"],
    ]);
  });
});

describe("examples/existing-app.js", () => {
  const { createApp } = require("../../examples/existing-app.js") as { createApp: (options: object) => Express };

  it("receives above a body parser, and below one that keeps the octets [T19]", async () => {
    const app = createApp({ secret: "s", logger: recordingLogger([]) });
    const seen: unknown[] = [];
    const { orders } = app.locals as {
      orders: { on: (event: string, listener: (message: Message) => unknown) => void };
    };
    const { port } = await serveApp(app);
    const body = '{"order": 7}';
    const headers = { "x-shop-signature": sign("s", body) };

    expect((await send(port, { path: "/webhooks/orders", headers, body })).status).toBe(503);
    orders.on("order", async (message) => void seen.push(message.payload));
    expect((await send(port, { path: "/webhooks/orders", headers, body })).status).toBe(200);
    expect((await send(port, { path: "/legacy/webhooks/orders", headers, body })).status).toBe(200);
    expect((await send(port, { path: "/echo", body })).json).toEqual({ order: 7 });
    expect(seen).toEqual([{ order: 7 }, { order: 7 }]);
  });
});

describe("examples/single-steps.js", () => {
  const { createApp } = require("../../examples/single-steps.js") as { createApp: (options: object) => Express };

  it("has the app's own handler among the steps, and steps without an emitter [B3]", async () => {
    const { messages, emitter } = keeping();
    const { port } = await serveApp(createApp({ token: "t", emitter }));
    const headers = { "x-token": "t" };
    jest.spyOn(console, "warn").mockImplementation(() => {});

    expect((await send(port, { path: "/readings", headers, body: '{"value":1}' })).status).toBe(200);
    expect((await send(port, { path: "/readings", headers, body: '{"worth":1}' })).status).toBe(422);
    expect((await send(port, { path: "/readings", body: '{"value":1}' })).json.detail).toBe("Bad token");
    expect((await send(port, { path: "/size", headers, body: '{"value":1}' })).json).toEqual({
      sender: "sensor",
      octets: 11,
    });
    expect(messages.map(({ payload }) => payload)).toEqual([{ value: 1 }]);
  });
});

describe("examples/own-authenticator.ts", () => {
  const { createApp } = require("../../examples/own-authenticator.ts") as { createApp: (options: object) => Express };

  it("lets in customers by their tokens [B1, B4]", async () => {
    const { messages, emitter } = keeping();
    const tokenHash = createHash("sha256").update("secret").digest();
    const customers = new Map([
      ["acme", { name: "acme", tokenHash, isSuspended: false }],
      ["late", { name: "late", tokenHash, isSuspended: true }],
    ]);
    const find = async (name: string) => customers.get(name);
    const { port } = await serveApp(createApp({ find, emitter, logger: recordingLogger([]) }));
    const headers = { authorization: "Bearer secret" };

    expect((await send(port, { path: "/hooks/acme", headers, body: "1" })).status).toBe(200);
    expect((await send(port, { path: "/hooks/late", headers, body: "1" })).status).toBe(403);
    expect((await send(port, { path: "/hooks/none", headers, body: "1" })).status).toBe(401);
    expect((await send(port, { path: "/hooks/acme", body: "1" })).headers["www-authenticate"]).toBe("Bearer");
    expect(messages.map(({ groupId }) => groupId)).toEqual(["acme"]);
  });
});

describe("examples/template.ts", () => {
  const { createApp } = require("../../examples/template.ts") as { createApp: (options: object) => Express };

  it("authenticates as the hosted product's template does [B1, B2, B3, B5, C1, D1, F1, F3]", async () => {
    const { messages, emitter } = keeping();
    const { port } = await serveApp(createApp({ emitter, logger: recordingLogger([]) }));
    const headers = { "x-partner": "foobar", "x-token": "secret" };

    const all = await Promise.all([1, 2, 3].map((one) => send(port, { headers, body: String(one) })));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await send(port, { headers: { ...headers, "x-token": "no" }, body: "1" })).json.detail).toBe("Wrong token");
    expect((await send(port, { body: "1" })).status).toBe(403);
    expect(new Set(messages.map(({ sender }) => sender?.name))).toEqual(new Set(["foobar"]));
  });
});

describe("examples/circuit-breaker.js", () => {
  const { createApp } = require("../../examples/circuit-breaker.js") as { createApp: (options: object) => Express };

  it("leaves a receiver alone that fails again and again, and loses nothing [J1]", async () => {
    let calls = 0;
    const { messages, emitter: spare } = keeping();
    const emitter = async (): Promise<void> => {
      calls++;
      throw new Error("down");
    };
    const { port } = await serveApp(createApp({ emitter, spare, logger: recordingLogger([]) }));
    for (let sent = 0; sent < 8; sent++) expect((await send(port, { path: "/webhooks", body: "{}" })).status).toBe(200);
    expect([calls, messages.length]).toEqual([5, 8]);
  });
});
