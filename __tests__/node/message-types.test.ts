/**
 * A node whose messages have a type: with media types, a schema, and an auditor.
 */
import { readFile, rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zod from "zod";
import {
  createMessageTypes,
  createTenant,
  createWebhookNode,
  defineMessageType,
  jsonLinesFile,
  type AuditRecord,
} from "express-webhook-node";
import { send, serveNode, until } from "../support/serve";

const order = defineMessageType({
  name: "shop.order",
  schema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
  auditor: ({ payload }) => ({ id: payload.id }),
});

describe("a node's message type", () => {
  it("is found by name in the tenant's library, and stands on each message [H1, A4]", async () => {
    const tenant = createTenant({ name: "acme", messageTypes: createMessageTypes([order]) });
    const { port, messages } = await serveNode({ tenant, messageType: "shop.order" });
    expect((await send(port, { body: '{"id":1}' })).status).toBe(200);
    expect(messages.map(({ messageType, payload }) => [messageType, payload])).toEqual([["shop.order", { id: 1 }]]);
    const make = (messageType: string) =>
      createWebhookNode({ tenant, anonymous: "accept", emitter: async () => {}, messageType });
    expect(() => make("shop.odrer")).toThrow("Did you mean shop.order?");
    expect(() => make("echo.hl7")).toThrow("messageType");
  });

  it("refuses what breaks the schema, and tells where and what was expected, but no value [H2]", async () => {
    const { port, messages, outcomes } = await serveNode({ messageType: order });
    const { status, json, text, headers } = await send(port, { body: '{"id":"s3cret"}' });
    expect([status, headers["content-type"], json.code]).toEqual([
      422,
      "application/problem+json",
      "ERR_WEBHOOK_SCHEMA",
    ]);
    expect(json.errors).toEqual([{ pointer: "#/id", detail: expect.stringContaining("integer") }]);
    expect(text).not.toContain("s3cret");
    expect(messages).toEqual([]);
    expect(outcomes).toMatchObject([{ kind: "refused", status: 422, advice: expect.stringContaining("#/id") }]);
  });

  it("emits what breaks the schema where it is told to, and says so in the message [H2]", async () => {
    const { port, messages } = await serveNode({ messageType: order, onInvalid: "emit" });
    expect((await send(port, { body: '{"id":"x"}' })).status).toBe(200);
    expect((await send(port, { body: '{"id":1}' })).status).toBe(200);
    expect(messages.map(({ schemaIssues }) => schemaIssues?.map(({ pointer }) => pointer))).toEqual([
      ["#/id"],
      undefined,
    ]);
    expect(messages[1]).not.toHaveProperty("schemaIssues");
  });

  it("takes a Standard Schema, whose output is the payload, also one that needs time [H2]", async () => {
    const schema = zod.object({ at: zod.string().transform(async (text) => new Date(text)) });
    const { port, messages } = await serveNode({ messageType: defineMessageType({ name: "shop.event", schema }) });
    expect((await send(port, { body: '{"at":"2026-01-31T00:00:00Z"}' })).status).toBe(200);
    expect(messages[0]?.payload).toEqual({ at: new Date("2026-01-31T00:00:00Z") });
    expect(messages[0]?.body).toBe('{"at":"2026-01-31T00:00:00Z"}');
    expect((await send(port, { body: '{"at":5}' })).json.errors).toHaveLength(1);
  });

  it("holds each item of a split delivery against the schema; one that breaks it refuses all [H2]", async () => {
    const { port, messages } = await serveNode({ messageType: order, split: true });
    const { status, json } = await send(port, { body: '[{"id":1},{"id":"2"},{}]' });
    expect(status).toBe(422);
    expect(json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(["#/1/id", "#/2"]);
    expect(messages).toEqual([]);
    expect((await send(port, { body: '[{"id":1},{"id":2}]' })).status).toBe(200);
    expect(messages).toHaveLength(2);
  });

  it("answers a schema that never settles at the deadline, and one that throws with 500 [J1]", async () => {
    const standard = (validate: () => unknown) => ({ "~standard": { version: 1, vendor: "test", validate } }) as never;
    const hangs = { name: "a.b", schema: standard(() => new Promise(() => {})) };
    const throws = {
      name: "a.b",
      schema: standard(() => {
        throw new Error("broken");
      }),
    };
    expect((await send((await serveNode({ messageType: hangs, deadlineMs: 100 })).port, { body: "1" })).status).toBe(
      503,
    );
    expect((await send((await serveNode({ messageType: throws })).port, { body: "1" })).status).toBe(500);
    const emits = await serveNode({ messageType: throws, onInvalid: "emit" });
    expect((await send(emits.port, { body: "1" })).status).toBe(200);
    expect(emits.messages[0]?.schemaIssues).toEqual([{ pointer: "#", detail: "the schema could not be applied" }]);
  });
});

describe("the media type of a message type [A4]", () => {
  const headers = { "content-type": "application/vnd.api+json" };

  it("is told of once where it does not cover the request's", async () => {
    const { port, lines } = await serveNode({ messageType: "echo.fhir-json", onInvalid: "emit" });
    for (let sent = 0; sent < 3; sent++) expect((await send(port, { headers, body: "{}" })).status).toBe(200);
    await send(port, { headers: { "content-type": "application/fhir+json" }, body: "{}" });
    expect(lines.filter((line) => line.includes("does not cover"))).toEqual([
      "warn: webhook webhook: the message type echo.fhir-json does not cover application/vnd.api+json; it is taken all the same.",
    ]);
  });

  it("refuses with 415 where it is told to, before the body is read", async () => {
    const { port, outcomes } = await serveNode({ messageType: "echo.fhir-json", mediaTypeMismatch: "reject" });
    expect((await send(port, { headers, body: "{" })).status).toBe(415);
    expect(outcomes).toMatchObject([{ code: "ERR_WEBHOOK_CONTENT_TYPE" }]);
  });
});

describe("the audit of a node [I1]", () => {
  it("makes one record for each message, with the auditor's attributes under the type's name", async () => {
    const records: AuditRecord[] = [];
    const tenant = createTenant({ name: "acme" });
    const { node, port, messages } = await serveNode({ tenant, name: "orders", messageType: order, split: true });
    node.events.on("audit", (record) => records.push(record));
    const { json } = await send(port, { body: '[{"id":1},{"id":2}]' });
    await until(() => records.length === 2);
    expect(records[1]).toEqual({
      datetime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      message_type: "shop.order",
      node: "orders",
      tenant: "acme",
      tracking_id: messages[1]?.trackingId,
      prev_tracking_ids: [json.trackingId],
      shop_order_id: 2,
    });
  });

  it("fails and delays no answer, whatever auditor and sink do", async () => {
    const { port, lines } = await serveNode({
      auditor: () => {
        throw new Error("broken auditor");
      },
      auditSink: () => new Promise(() => {}),
    });
    expect((await send(port, { body: "1" })).status).toBe(200);
    await until(() => lines.some((line) => line.includes("broken auditor")));
  });

  it("is kept before a drain is over", async () => {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    const path = join(folder, "audit.jsonl");
    const { node, port } = await serveNode({ auditSink: jsonLinesFile({ path }) });
    await send(port, { body: "1" });
    await node.drain({ timeoutMs: 1000 });
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ node: "webhook", message_type: "echo.json" });
    await rm(folder, { recursive: true });
  });
});
