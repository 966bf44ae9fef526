/**
 * A slow emitter never grows memory without bound: from the high mark on new requests are refused, until the low one.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { send, serveNode, until, type Answered } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const KIB = JSON.stringify("x".repeat(1022));

function held() {
  const ends: (() => void)[] = [];
  const emitter = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  return { emitter, ends, settleAll: () => ends.splice(0).forEach((end) => end()) };
}

describe("backpressure", () => {
  const told: Record<string, unknown>[] = [];
  const listen = (change: unknown): void => void told.push(change as Record<string, unknown>);
  beforeEach(() => {
    told.length = 0;
    subscribe("express-webhook-node:backpressure", listen);
  });
  afterEach(() => void unsubscribe("express-webhook-node:backpressure", listen));

  it("refuses above the high mark until below the low one, and says so once [T17]", async () => {
    const { emitter, ends } = held();
    const node = await serveNode({ emitter, maxInFlightBytes: 4096, resumeInFlightBytes: 2048, name: "orders" });
    const waiting: Promise<Answered>[] = [];
    for (let n = 1; n <= 4; n++) {
      waiting.push(send(node.port, { body: KIB }));
      await until(() => ends.length === n);
    }
    const refused = await send(node.port, { body: KIB });
    expect([refused.status, refused.json.code]).toEqual([503, "ERR_WEBHOOK_BUSY"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);

    ends[0]?.();
    expect((await waiting[0])?.status).toBe(200);
    // There is room again, but not down to the low mark.
    expect((await send(node.port, { body: "1" })).status).toBe(503);
    ends[1]?.();
    expect((await waiting[1])?.status).toBe(200);
    const last = send(node.port, { body: "1" });
    await until(() => ends.length === 5);
    ends.forEach((end) => end());
    expect((await last).status).toBe(200);
    await Promise.all(waiting);

    expect(told).toMatchObject([
      { node: "orders", isRefusing: true, inFlightBytes: 4096, maxInFlightBytes: 4096, resumeInFlightBytes: 2048 },
      { node: "orders", isRefusing: false, inFlightBytes: 2048, refused: 2 },
    ]);
    expect(node.lines.filter((line) => line.includes("full"))).toEqual([
      "warn: webhook orders: full: 4096 octets are under way; is the emitter slow?",
      "warn: webhook orders: no longer full; 2 requests were refused meanwhile.",
    ]);
  });

  it("counts what the emitter holds after the sender was told to come again [T17, J2]", async () => {
    const { emitter, settleAll } = held();
    const node = await serveNode({ emitter, maxInFlightBytes: 2048, deadlineMs: 100 });
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_BUSY");
    settleAll();
    await until(() => told.length === 2);
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
  });

  it("asks senders to come later the longer it is full, and not all at once [T17]", async () => {
    const { emitter, ends, settleAll } = held();
    const node = await serveNode({ emitter, maxInFlightBytes: 1100 });
    const first = send(node.port, { body: KIB });
    await until(() => ends.length === 1);
    const waits = async (): Promise<number[]> => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(node.port, { body: KIB })));
      return answers.map(({ headers }) => Number(headers["retry-after"]));
    };
    const early = await waits();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const late = await waits();
    settleAll();
    await first;

    expect(Math.max(...early)).toBeLessThanOrEqual(3);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(4);
    expect(new Set(late).size).toBeGreaterThan(1);
  });

  it("is not made full by what is too large by itself", async () => {
    const node = await serveNode({ maxInFlightBytes: 500 });
    expect((await send(node.port, { body: KIB })).status).toBe(503);
    expect((await send(node.port, { body: "1" })).status).toBe(200);
    expect(told).toEqual([]);
  });

  it("lets a drain wait for what an emitter holds beyond its deadline [T18]", async () => {
    const { emitter, settleAll } = held();
    const node = await serveNode({ emitter, deadlineMs: 50 });
    await send(node.port, { body: "1" });
    let isDrained = false;
    const drained = node.node.drain({ timeoutMs: 5000 }).then((result) => ((isDrained = true), result));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isDrained).toBe(false);
    settleAll();
    expect(await drained).toEqual({ unanswered: 0 });
  });

  it("works on where the logger throws [T17]", async () => {
    const { emitter, ends, settleAll } = held();
    const warn = (): never => {
      throw new Error("no room for the log");
    };
    const logger = { debug() {}, info() {}, warn, error() {} };
    const node = await serveNode({ emitter, maxInFlightBytes: 1100, deadlineMs: 300, logger });
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
    expect((await send(node.port, { body: KIB })).json.code).toBe("ERR_WEBHOOK_BUSY");
    settleAll();
    await until(() => told.length === 2);
    const last = send(node.port, { body: KIB });
    await until(() => ends.length === 1);
    settleAll();
    expect((await last).status).toBe(200);
    expect(await node.node.drain()).toEqual({ unanswered: 0 });
  });
});
