/** A node that is shutting down. */
import http from "node:http";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectProblem } from "./refused";

watchUnhandled();

const JSON_TYPE = "Content-Type: application/json";

describe("a node that drains [T18]", () => {
  it("answers what is under way: a body on its way, and a message being emitted", async () => {
    let confirm: () => void = () => {};
    const emitting: string[] = [];
    const { node, port, outcomes } = await serveNode({
      emitter: (message) => {
        emitting.push(message.body);
        return message.body === "1" ? new Promise<void>((resolve) => (confirm = resolve)) : Promise.resolve();
      },
    });
    const [slow, emitted] = [await dial(port), await dial(port)];
    slow.write(Buffer.concat([Buffer.from(head([JSON_TYPE, "Transfer-Encoding: chunked"])), chunk("[2")]));
    emitted.write(`${head([JSON_TYPE, "Content-Length: 1"])}1`);
    await until(() => emitting.length === 1);

    let drained: unknown;
    const draining = node.drain({ timeoutMs: 5000 }).then((result) => (drained = result));
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 503, "ERR_WEBHOOK_DRAINING");
    expect(answered.headers["connection"]).toBe("close");
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(drained).toBeUndefined();

    slow.write(Buffer.concat([chunk("]"), Buffer.from(LAST_CHUNK)]));
    await slow.answered();
    expect(slow.statuses()).toEqual([200]);
    expect(drained).toBeUndefined();
    confirm();
    await emitted.answered();
    expect(emitted.statuses()).toEqual([200]);
    await draining;
    expect(drained).toEqual({ unanswered: 0 });
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failed", "ERR_WEBHOOK_DRAINING"],
      ["delivered", undefined],
      ["delivered", undefined],
    ]);
  });

  it("ends a connection that was kept alive with its next request, and never says 410", async () => {
    const { node, port } = await serveNode();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    expect((await send(port, { body: "{}", agent })).headers["connection"]).toBe("keep-alive");
    await node.drain();
    const statuses = new Set<number>();
    for (const sent of [{ body: "{}" }, { body: ["{", "}"] }, { body: "x".repeat(100_000) }]) {
      const answered = await send(port, { ...sent, agent });
      statuses.add(answered.status);
      expect(answered.headers["connection"]).toBe("close");
    }
    // What is refused for itself is refused for itself still.
    statuses.add((await send(port, { method: "PUT" })).status);
    agent.destroy();
    expect([...statuses]).toEqual([503, 405]);
  });

  it("refuses a large body before it is read, and the answer arrives", async () => {
    const { node, port } = await serveNode();
    await node.drain();
    for (let at = 0; at < 5; at++) {
      expectProblem(await send(port, { body: Buffer.alloc(900_000, 0x20) }), 503, "ERR_WEBHOOK_DRAINING");
    }
  });

  it("waits no longer than it is told to, and counts what it leaves; a sender that goes is not left", async () => {
    const { node, port, messages } = await serveNode({ deadlineMs: 3000 });
    const [stays, goes] = [await dial(port), await dial(port)];
    for (const client of [stays, goes]) client.write(`${head([JSON_TYPE, "Content-Length: 10"])}[`);
    const answered = await send(port, { body: "1" });
    expect(answered.status).toBe(200);
    const draining = node.drain({ timeoutMs: 200 });
    goes.cut();
    expect(await draining).toEqual({ unanswered: 1 });
    expect(await node.drain({ timeoutMs: 1 })).toEqual({ unanswered: 1 });
    expect(messages).toHaveLength(1);
  });
});
