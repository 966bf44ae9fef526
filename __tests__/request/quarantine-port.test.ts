/**
 * What a node hands to a quarantine: deliveries that were refused, as they were received.
 */
import { gzipSync } from "node:zlib";
import express from "express";
import { createWebhookNode, HTTPException, keepRawBody, type RefusedDelivery } from "express-webhook-node";
import { github } from "express-webhook-node/sources/github";
import { recordingLogger, send, serveApp, serveNode, until } from "../support/serve";
import { dial, head } from "../support/dial";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const body = '{"a": 1}';

function keeping() {
  const kept: RefusedDelivery[] = [];
  return { kept, quarantine: { keep: async (refused: RefusedDelivery) => void kept.push(refused) } };
}

describe("quarantine", () => {
  it("is handed what a source refuses, octet by octet, with its field lines [J4]", async () => {
    const { kept, quarantine } = keeping();
    const source = github({ secrets: ["s"] });
    const { port, outcomes } = await serveNode({ source, quarantine, name: "orders" });
    const coded = gzipSync(body);
    const headers = { "content-encoding": "gzip", "x-hub-signature-256": `sha256=${"0".repeat(64)}`, "X-Case": "Kept" };
    expect((await send(port, { path: "/?a=1", headers, body: coded })).status).toBe(401);

    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ node: "orders", source: "github", status: 401, method: "POST", target: "/?a=1" });
    expect(kept[0]).toMatchObject({ code: "ERR_WEBHOOK_HTTP_EXCEPTION", detail: outcomes[0]?.detail, isWhole: true });
    expect(kept[0]?.octets.equals(coded)).toBe(true);
    expect(kept[0]?.rawHeaders).toEqual(expect.arrayContaining(["X-Case", "Kept", "content-encoding", "gzip"]));
    expect(kept[0]?.receivedAt).toBeInstanceOf(Date);
  });

  it("is handed a body that nobody has wanted, if it has arrived [J4]", async () => {
    const { kept, quarantine } = keeping();
    const { port } = await serveNode({ quarantine, source: github({ secrets: ["s"] }) });
    expect((await send(port, { body })).status).toBe(401);
    expect((await send(port, { body, headers: { "content-type": "text/plain" } })).status).toBe(415);
    expect((await send(port, { body, headers: { "content-encoding": "compress" } })).status).toBe(415);

    expect(kept.map(({ status, octets, isWhole }) => [status, octets.toString(), isWhole])).toEqual([
      [401, body, true],
      [415, body, true],
      [415, "", false],
    ]);
  });

  it("waits for nothing: a body on its way is left out [T5]", async () => {
    const { kept, quarantine } = keeping();
    const authenticator = () => {
      throw new HTTPException(401);
    };
    const { port } = await serveNode({ quarantine, authenticator });
    const client = await dial(port);
    client.write(head(["Content-Type: application/json", "Content-Length: 100"]) + body);
    await client.answered();
    expect([client.statuses(), kept[0]?.isWhole, kept[0]?.octets.length]).toEqual([[401], false, 0]);
  });

  it("is handed what a schema refuses, and nothing that was let in, failed or was aborted [J4]", async () => {
    const { kept, quarantine } = keeping();
    const messageType = { name: "own.order", schema: { type: "object", required: ["id"] } };
    let isDown = false;
    const emitter = async (): Promise<void> => {
      if (isDown) throw new Error("down");
    };
    const { port } = await serveNode({ quarantine, messageType, emitter });
    expect((await send(port, { body: '{"id":1}' })).status).toBe(200);
    expect((await send(port, { body })).status).toBe(422);
    isDown = true;
    expect((await send(port, { body: '{"id":1}' })).status).toBe(503);
    expect(kept.map(({ status, octets }) => [status, octets.toString()])).toEqual([[422, body]]);
  });

  it("is handed the octets that a parser has kept, which are not coded any more [T19]", async () => {
    const { kept, quarantine } = keeping();
    const node = createWebhookNode({
      source: github({ secrets: ["s"] }),
      emitter: async () => {},
      logger: recordingLogger([]),
      quarantine,
    });
    const app = express()
      .use(express.json({ verify: keepRawBody }))
      .use("/in", node);
    const { port } = await serveApp(app);
    const headers = { "content-encoding": "gzip", "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    expect((await send(port, { path: "/in", headers, body: gzipSync(body) })).status).toBe(401);
    expect(kept[0]?.octets.toString()).toBe(body);
    expect(kept[0]?.target).toBe("/in");
    expect(kept[0]?.rawHeaders.map((text) => text.toLowerCase())).not.toContain("content-encoding");
  });

  it("counts as in flight what is being kept [T17]", async () => {
    let settle = (): void => {};
    const keep = () => new Promise<void>((resolve) => (settle = resolve));
    const source = github({ secrets: ["s"] });
    const { port, node } = await serveNode({ quarantine: { keep }, source, maxInFlightBytes: 100 });
    const large = JSON.stringify("x".repeat(60));
    const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    expect((await send(port, { headers, body: large })).status).toBe(401);
    expect((await send(port, { headers, body: large })).json.code).toBe("ERR_WEBHOOK_BUSY");
    settle();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await send(port, { headers, body: large })).status).toBe(401);
    settle();
    expect(await node.drain()).toEqual({ unanswered: 0 });
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no room");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no room"))],
  ])("changes no answer if it %s, and that is logged [J4]", async (_, keep) => {
    const { port, lines } = await serveNode({ quarantine: { keep }, source: github({ secrets: ["s"] }) });
    expect((await send(port, { body })).status).toBe(401);
    await until(() => lines.some((line) => line.includes("could not be kept | no room")));
  });
});
