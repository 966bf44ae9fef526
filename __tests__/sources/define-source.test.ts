/**
 * What a source can ask of a node besides verification: handshakes, replies, filters, forms and limits.
 */
import { defineSource, type SourceDefinition, type SourceOptions } from "express-webhook-node/sources/define-source";
import { unauthorized } from "express-webhook-node/sources/facts";
import { jsonInForm, FORM } from "express-webhook-node/sources/form";
import { send, serveNode, type ServedNode } from "../support/serve";

const verify = ({ request }: { request: { headers: Record<string, unknown> } }) => {
  if (request.headers["x-proof"] !== "right") throw unauthorized("X-Proof does not match.");
};
const right = { "x-proof": "right" };
const type = ({ payload }: { payload: unknown }) => (payload as { type?: string } | null)?.type;

function serveSource(definition: Partial<SourceDefinition>, options?: SourceOptions): Promise<ServedNode> {
  return serveNode({
    source: defineSource({ name: "acme", verify, eventType: type, ...definition }, options),
  });
}

describe("defineSource", () => {
  it("vouches for what it verifies, by the source's name [B1, G2]", async () => {
    const { port, messages } = await serveSource({});
    expect((await send(port, { headers: right, body: '{"type":"paid"}' })).status).toBe(200);
    expect((await send(port, { body: '{"type":"paid"}' })).status).toBe(401);
    expect(messages).toMatchObject([{ source: "acme", eventType: "paid", sender: { name: "acme", scopes: [] } }]);
  });

  it("emits only what is wanted, and answers the rest as a success [J4]", async () => {
    const only = await serveSource({ success: { status: 204 } }, { only: ["paid"] });
    expect((await send(only.port, { headers: right, body: '{"type":"paid"}' })).status).toBe(204);
    expect((await send(only.port, { headers: right, body: '{"type":"sent"}' })).status).toBe(204);
    expect((await send(only.port, { headers: right, body: "null" })).status).toBe(204);
    expect((await send(only.port, { body: '{"type":"sent"}' })).status).toBe(401);
    expect(only.messages.map(({ eventType }) => eventType)).toEqual(["paid"]);
    expect(only.outcomes.map(({ kind }) => kind)).toEqual(["delivered", "answered", "answered", "refused"]);

    const ignore = await serveSource({}, { ignore: ["sent"] });
    for (const one of ["paid", "sent"]) await send(ignore.port, { headers: right, body: `{"type":"${one}"}` });
    expect(ignore.messages.map(({ eventType }) => eventType)).toEqual(["paid"]);
  });

  it("answers a verified handshake by itself, as text that no browser takes for markup [T15]", async () => {
    const { port, messages } = await serveSource({
      reply: ({ payload }) => (type({ payload }) === "hello" ? { text: `<b>${"x".repeat(5000)}` } : undefined),
    });
    const { status, headers, text } = await send(port, { headers: right, body: '{"type":"hello"}' });
    expect([status, headers["content-type"], headers["x-content-type-options"], text.length]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "nosniff",
      4096,
    ]);
    expect((await send(port, { body: '{"type":"hello"}' })).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it("answers a handshake before the gates, and keeps to POST and JSON for all else [A1]", async () => {
    const { port, outcomes } = await serveSource({
      handshake: ({ request, query }) => {
        const challenge = query.get("challenge");
        return request.method === "GET" && challenge !== null ? { text: challenge } : undefined;
      },
    });
    expect(await send(port, { method: "GET", path: "/?challenge=a%26b" })).toMatchObject({ status: 200, text: "a&b" });
    expect(await send(port, { method: "GET" })).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect((await send(port, { method: "PUT", path: "/?challenge=a" })).status).toBe(405);
    expect(outcomes.map(({ kind, source }) => [kind, source])).toEqual([
      ["answered", "acme"],
      ["refused", undefined],
      ["refused", undefined],
    ]);
  });

  it("lets in other media types, and reads them", async () => {
    const { port, messages } = await serveSource({ accepts: { mediaTypes: [FORM] }, payloadOf: jsonInForm("payload") });
    const headers = { ...right, "content-type": FORM };
    const form = `payload=${encodeURIComponent('{"type":"paid"}')}&x=1`;
    expect((await send(port, { headers, body: form })).status).toBe(200);
    expect((await send(port, { headers: right, body: '{"type":"sent"}' })).status).toBe(200);
    expect(messages.map(({ payload, mediaType }) => [payload, mediaType])).toEqual([
      [{ type: "paid" }, FORM],
      [{ type: "sent" }, "application/json"],
    ]);
    expect(messages[0]?.octets.toString()).toBe(form);
    for (const bad of ["", "x=1", "payload=1&payload=1", "payload={", `payload=${"[".repeat(200)}`]) {
      expect((await send(port, { headers, body: bad })).status).toBe(400);
    }
    const json = await serveSource({});
    expect((await send(json.port, { headers, body: form })).status).toBe(415);
  });

  it("sets limits and the deadline, and the node's own options win", async () => {
    const source = defineSource({ name: "acme", verify: () => {}, accepts: { maxBytes: 10, deadlineMs: 100 } });
    const small = await serveNode({ source });
    expect((await send(small.port, { body: '"12345678901"' })).status).toBe(413);
    const large = await serveNode({ source, maxBytes: 20 });
    expect((await send(large.port, { body: '"12345678901"' })).status).toBe(200);
    const slow = await serveNode({ source, emitter: () => new Promise(() => {}) });
    expect((await send(slow.port, { body: "1" })).status).toBe(503);
  });

  it("refuses as the provider wants it [B7]", async () => {
    const { port } = await serveSource({ refusal: {} });
    expect(await send(port, { body: "1" })).toMatchObject({ status: 401, text: "" });
  });

  it.each([
    ["name: undefined is not a text", { verify }],
    ["verify: undefined is not a function", { name: "a" }],
    ["Did you mean deliveryId?", { name: "a", verify, deliveryid: () => "" }],
  ])("throws at start: %s", (message, definition) => {
    expect(() => defineSource(definition as never)).toThrow(message);
  });

  it("throws at start for filters that are none", () => {
    const definition = { name: "a", verify: () => {} };
    expect(() => defineSource(definition, { only: ["a"], ignore: ["b"] })).toThrow("exclude each other");
    expect(() => defineSource(definition, { only: "a" as never })).toThrow("is not a list of event types");
  });
});

describe('enforcement: "report"', () => {
  const serveReport = () => serveNode({ source: defineSource({ name: "acme", verify }), enforcement: "report" });

  it("lets in what lacks a right proof, marked, and says why", async () => {
    const { port, messages, outcomes, lines } = await serveReport();
    expect((await send(port, { body: "1" })).status).toBe(200);
    expect((await send(port, { headers: right, body: "1" })).status).toBe(200);
    expect(messages.map(({ isUnverified, sender }) => [isUnverified, sender?.name])).toEqual([
      [true, undefined],
      [undefined, "acme"],
    ]);
    expect(outcomes.map(({ isUnverified }) => isUnverified)).toEqual([true, undefined]);
    expect(lines.filter((line) => line.startsWith("warn"))).toEqual([
      'warn: webhook webhook: enforcement is "report": deliveries without a right proof are let in, marked isUnverified.',
      'warn: webhook webhook: let in unverified, for enforcement is "report": X-Proof does not match.',
    ]);
  });

  it("refuses everything else as ever", async () => {
    const { port } = await serveReport();
    expect((await send(port, { headers: { "content-type": "text/plain" }, body: "1" })).status).toBe(415);
    expect((await send(port, { body: "{" })).status).toBe(400);
  });
});
