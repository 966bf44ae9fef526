import type http from "node:http";
import { begin, decompress, delivery, problem, type WebhookError } from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, send, serve, serveNode, until, type Served } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

quietConsole();
watchUnhandled();

const DEADLINE_MS = 300;
// Timers are never early by more than a tick; how late they are is the machine's.
const EARLIEST_MS = DEADLINE_MS - 20;
const LATEST_MS = DEADLINE_MS + 1200;

type Handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void) => void;

const read: Handler = (req, res, next) => {
  delivery(req)
    .body.bytes()
    .then((octets) => res.end(`${octets.length}`), next);
};
const listen: Handler = (req, res, next) => {
  const { body } = delivery(req);
  body.stream().resume();
  body.bytes().then((octets) => res.end(`${octets.length}`), next);
};

const serveRead = (handler: Handler = read): Promise<Served> =>
  serve(begin({ deadlineMs: DEADLINE_MS }), decompress(), handler, problem());

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  const value = await work();
  return [value, performance.now() - startedAt];
}

function expectAtDeadline(tookMs: number): void {
  expect(tookMs).toBeGreaterThan(EARLIEST_MS);
  expect(tookMs).toBeLessThan(LATEST_MS);
}

describe("a body that stalls [T13]", () => {
  it.each<[string, readonly string[], string | Buffer]>([
    ["behind its head", ["Content-Length: 100"], ""],
    ["in the middle", ["Content-Length: 100"], "a".repeat(50)],
    ["an octet before its end", ["Content-Length: 100"], "a".repeat(99)],
    ["before its first chunk", ["Transfer-Encoding: chunked"], ""],
    ["in a chunk", ["Transfer-Encoding: chunked"], "64\r\naaaa"],
    ["before its last chunk", ["Transfer-Encoding: chunked"], chunk("aaaa")],
    [
      "in the middle of gzip",
      ["Content-Length: 100", "Content-Encoding: gzip"],
      CODE.gzip("some text").subarray(0, 20),
    ],
    ["before the first octet of br", ["Content-Length: 100", "Content-Encoding: br"], ""],
  ])("is 408 at the deadline, and the connection ends: %s", async (_, lines, octets) => {
    for (const handler of [read, listen]) {
      const { port } = await serveRead(handler);
      const [connection, tookMs] = await timed(async () => {
        const dialled = await dial(port);
        dialled.write(Buffer.concat([Buffer.from(head(lines)), Buffer.from(octets)]));
        await dialled.answered();
        return dialled;
      });
      expectAtDeadline(tookMs);
      expect(connection.statuses()).toEqual([408]);
      expect(connection.text()).toContain("ERR_WEBHOOK_BODY_TIMEOUT");
      expect(connection.text()).toContain("Connection: close");
      await until(() => connection.isClosed());
    }
  });

  it("is 408 at the deadline though it trickles", async () => {
    const { port } = await serveRead();
    const connection = await dial(port);
    const startedAt = performance.now();
    connection.write(head(["Content-Length: 1000"]));
    while (connection.statuses().length === 0) {
      connection.write("a");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expectAtDeadline(performance.now() - startedAt);
    expect(connection.statuses()).toEqual([408]);
  });

  it("is taken if it ends before the deadline", async () => {
    const { port } = await serveRead();
    const connection = await dial(port);
    connection.write(head(["Transfer-Encoding: chunked"]));
    for (let at = 0; at < 5; at++) {
      connection.write(chunk("a"));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    connection.write(LAST_CHUNK);
    await connection.answered();
    expect(connection.statuses()).toEqual([200]);
  });

  it("is not awaited by a handler that does not ask for it", async () => {
    const { port } = await serveRead((_req, res) => void res.end("passed"));
    const [, tookMs] = await timed(async () => {
      const connection = await dial(port);
      connection.write(head(["Content-Length: 100"]));
      await connection.answered();
      expect(connection.statuses()).toEqual([200]);
    });
    expect(tookMs).toBeLessThan(EARLIEST_MS);
  });

  it("is 408 in a node, and the outcome says whose fault it was", async () => {
    const { port, outcomes, messages } = await serveNode({ deadlineMs: DEADLINE_MS });
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", "Content-Length: 100"]));
    connection.write("{");
    await connection.answered();
    expect(connection.statuses()).toEqual([408]);
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: "refused", status: 408, code: "ERR_WEBHOOK_BODY_TIMEOUT" }),
    ]);
    expect(messages).toEqual([]);
  });
});

describe("the budget of time [T13]", () => {
  it.each(["identity", "gzip"] as const)("that is spent behind a body is ours: 503 (%s, in pieces)", async (coding) => {
    const { port, outcomes } = await serveNode({
      deadlineMs: DEADLINE_MS,
      authenticator: async ({ body }) => {
        await body.bytes();
        return new Promise(() => {});
      },
    });
    const encoded = CODE[coding]("{}");
    const [answered, tookMs] = await timed(() =>
      send(port, { body: [encoded.subarray(0, 1), encoded.subarray(1)], headers: { "content-encoding": coding } }),
    );
    expectAtDeadline(tookMs);
    expect(answered).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(outcomes).toEqual([expect.objectContaining({ kind: "failed", code: "ERR_WEBHOOK_DEADLINE" })]);
  });

  it("is counted from begin, so that what is spent before the body is asked for is gone", async () => {
    const { port } = await serveRead((req, res, next) => void setTimeout(() => read(req, res, next), DEADLINE_MS / 2));
    const [connection, tookMs] = await timed(async () => {
      const dialled = await dial(port);
      dialled.write(head(["Content-Length: 100"]));
      await dialled.answered();
      return dialled;
    });
    expectAtDeadline(tookMs);
    expect(connection.statuses()).toEqual([408]);
  });

  it("that was spent before the body is asked for gives a body that is here all the same", async () => {
    const { port } = await serveRead((req, res, next) => void setTimeout(() => read(req, res, next), DEADLINE_MS + 50));
    expect(await send(port, { body: "{}" })).toMatchObject({ status: 200, text: "2" });
  });

  it("fires the signal, with the reason", async () => {
    let reason: unknown;
    const { port } = await serveRead((req, res) => {
      const { signal } = delivery(req);
      signal.addEventListener("abort", () => {
        reason = signal.reason;
        res.end("passed");
      });
    });
    const [answered, tookMs] = await timed(() => send(port, { body: "{}" }));
    expectAtDeadline(tookMs);
    expect([answered.status, (reason as WebhookError).code]).toEqual([200, "ERR_WEBHOOK_DEADLINE"]);
  });

  it("fires the signal when the sender goes", async () => {
    let reason: unknown;
    let begun = false;
    const { port } = await serveRead((req) => {
      const { signal } = delivery(req);
      begun = true;
      signal.addEventListener("abort", () => (reason = signal.reason));
    });
    const connection = await dial(port);
    connection.write(head(["Content-Length: 100"]));
    await until(() => begun);
    connection.cut();
    await until(() => reason !== undefined);
    expect((reason as WebhookError).code).toBe("ERR_WEBHOOK_ABORTED");
  });

  it("keeps no timer of a request that is answered", async () => {
    const signals: AbortSignal[] = [];
    const { port } = await serveRead((req, res, next) => {
      signals.push(delivery(req).signal);
      read(req, res, next);
    });
    for (let at = 0; at < 3; at++) expect((await send(port, { body: ["{", "}"] })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS + 50));
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false, false]);
  });
});
