/**
 * A node that is told to come to an end.
 */
import express from "express";
import { createWebhookNode, type Message } from "express-webhook-node";
import { dial, head } from "../support/dial";
import { recordingLogger, send, serveApp, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const whole = `${head(["Content-Type: application/json", "Content-Length: 1"])}1`;

/** A node whose emitter confirms when it is told to. */
async function serveHeld() {
  const held: { readonly message: Message; readonly confirm: () => void }[] = [];
  const served = await serveNode({
    emitter: (message) => new Promise<void>((resolve) => held.push({ message, confirm: resolve })),
  });
  return { ...served, held };
}

describe("drain", () => {
  it("is done at once where nothing is under way [T18]", async () => {
    const { node } = await serveNode();

    expect(await node.drain()).toEqual({ unanswered: 0 });
  });

  it("lets what is under way be answered, and refuses what is new [T18]", async () => {
    const { port, node, held, outcomes } = await serveHeld();
    const connection = await dial(port);
    connection.write(whole);
    await until(() => held.length > 0);
    let isDone = false;
    const drained = node.drain().then((result) => {
      isDone = true;
      return result;
    });
    const refused = await send(port, { body: "2" });

    expect(refused.status).toBe(503);
    expect(refused.json).toMatchObject({ code: "ERR_WEBHOOK_DRAINING" });
    expect(refused.headers).toMatchObject({ connection: "close", "retry-after": "1" });
    expect([isDone, connection.text()]).toEqual([false, ""]);
    held[0]!.confirm();

    expect(await drained).toEqual({ unanswered: 0 });
    await connection.answered();
    expect(connection.statuses()).toEqual([200]);
    expect(held).toHaveLength(1);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failed", "ERR_WEBHOOK_DRAINING"],
      ["delivered", undefined],
    ]);
  });

  it("refuses what is new on a connection that has long been there, and ends it [T18]", async () => {
    const { port, node } = await serveNode();
    const connection = await dial(port);
    connection.write(whole);
    await connection.answered();
    await node.drain();
    connection.write(whole);
    await connection.closed;

    expect(connection.statuses()).toEqual([200, 503]);
    expect(connection.text()).toMatch(/^Connection: close\r$/m);
  });

  it("refuses without reading the body [T18]", async () => {
    const { port, node } = await serveNode();
    await node.drain();
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", "Content-Length: 1000000"]));
    await connection.answered();

    expect(connection.statuses()).toEqual([503]);
  });

  it("waits for a body that is still arriving [T18]", async () => {
    const { port, node, messages } = await serveNode();
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", "Content-Length: 2"]));
    connection.write("1");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const drained = node.drain();
    connection.write("2");

    expect(await drained).toEqual({ unanswered: 0 });
    await connection.answered();
    expect(connection.statuses()).toEqual([200]);
    expect(messages[0]!.payload).toBe(12);
  });

  it("is one drain, however often it is asked for [T18]", async () => {
    const { port, node, held } = await serveHeld();
    const connection = await dial(port);
    connection.write(whole);
    await until(() => held.length > 0);
    const first = node.drain({ timeoutMs: 5000 });
    const second = node.drain({ timeoutMs: 1 });
    expect(second).toBe(first);
    held[0]!.confirm();

    expect(await Promise.all([first, second, node.drain()])).toEqual([
      { unanswered: 0 },
      { unanswered: 0 },
      { unanswered: 0 },
    ]);
  });

  it("ends after its time, and tells how many are unanswered [T18]", async () => {
    const { port, node, held } = await serveHeld();
    const connections = [await dial(port), await dial(port)];
    for (const connection of connections) connection.write(whole);
    await until(() => held.length === 2);
    const startedAt = performance.now();
    const drained = await node.drain({ timeoutMs: 100 });

    expect(drained).toEqual({ unanswered: 2 });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    // They are answered all the same, if the process lives on.
    for (const { confirm } of held) confirm();
    await Promise.all(connections.map((connection) => connection.answered()));
    expect(connections.map((connection) => connection.statuses())).toEqual([[200], [200]]);
  });

  it("does not wait for a sender that goes away [T12, T18]", async () => {
    let isAsked = false;
    const { port, node } = await serveNode({
      authenticator: () => {
        isAsked = true;
        return new Promise(() => {});
      },
    });
    const connection = await dial(port);
    connection.write(whole);
    await until(() => isAsked);
    const drained = node.drain({ timeoutMs: 1900 });
    connection.cut();

    expect(await drained).toEqual({ unanswered: 0 });
  });

  it("does not wait for a sender that had gone before the node was reached [T12, T18]", async () => {
    let isGone = false;
    const node = createWebhookNode({
      anonymous: "accept",
      logger: recordingLogger([]),
      emitter: async () => {},
    });
    const outcomes: string[] = [];
    node.events.on("outcome", ({ kind }) => outcomes.push(kind));
    const app = express();
    app.use((_request, response, next) => {
      response.on("close", () => {
        isGone = true;
        setTimeout(next, 10);
      });
    });
    app.use(node);
    const { port } = await serveApp(app);
    const connection = await dial(port);
    connection.write(whole);
    await new Promise((resolve) => setTimeout(resolve, 30));
    connection.cut();
    await until(() => isGone);
    await until(() => outcomes.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(await node.drain({ timeoutMs: 200 })).toEqual({ unanswered: 0 });
    expect(outcomes).toEqual(["aborted"]);
  });

  it("does not wait for what is refused before it is let in [T18]", async () => {
    const { port, node } = await serveNode();
    const connection = await dial(port);
    connection.write(head(["Content-Type: text/plain", "Content-Length: 1000"]));
    await connection.answered();

    expect(await node.drain({ timeoutMs: 200 })).toEqual({ unanswered: 0 });
  });

  it.each([0, -1, Number.NaN, 1.5, "1s", null])("takes no time that is none: %p [T18]", async (timeoutMs) => {
    const { port, node } = await serveNode();

    expect(() => node.drain({ timeoutMs: timeoutMs as number })).toThrow(TypeError);
    expect(() => node.drain({ timeoutMs: timeoutMs as number })).toThrow("timeoutMs");
    expect((await send(port, { body: "1" })).status).toBe(200);
  });

  it("of one node leaves another one open [T18]", async () => {
    const one = await serveNode();
    const other = await serveNode();
    await one.node.drain();

    expect((await send(one.port, { body: "1" })).status).toBe(503);
    expect((await send(other.port, { body: "1" })).status).toBe(200);
  });
});
