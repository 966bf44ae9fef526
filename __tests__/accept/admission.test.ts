import type http from "node:http";
import { EventEmitter } from "node:events";
import { gzipSync } from "node:zlib";
import { admission, decompress, delivery, problem, type Admission, type AdmissionOptions } from "express-webhook-node";
import { chunk, dial, head } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { send, serve, serveNode, until, type Served } from "../support/serve";

quietConsole();

type Held = Served & {
  readonly admit: Admission;
  /** Lets the handler answer the requests that it holds, and those that come. */
  readonly release: () => void;
  /** Requests that have reached the handler. */
  readonly reached: () => number;
};

/** Serves a handler that reads the body, then answers when it is told to. */
async function serveHeld(options: AdmissionOptions, { isHeld = true, maxBytes = 1_048_576 } = {}): Promise<Held> {
  const admit = admission(options);
  const gate = new EventEmitter().setMaxListeners(0);
  let isOpen = !isHeld;
  let reached = 0;
  const handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void): void => {
    reached++;
    const answer = (): void => void res.end("passed");
    delivery(req)
      .body.bytes()
      .then(() => (isOpen ? answer() : gate.once("open", answer)), next);
  };
  const served = await serve(decompress({ maxBytes }), admit, handler, problem());
  const release = (): void => {
    isOpen = true;
    gate.emit("open");
  };
  return { ...served, admit, release, reached: () => reached };
}

describe("admission: octets in flight [T4]", () => {
  it("are counted as they come, and given back with the answer", async () => {
    const { port, admit, release } = await serveHeld({});
    expect([admit.inFlight, admit.inFlightBytes]).toEqual([0, 0]);
    const connection = await dial(port);
    connection.write(head(["Content-Length: 100"]));
    connection.write("a".repeat(30));
    await until(() => admit.inFlightBytes === 30);
    connection.write("a".repeat(30));
    await until(() => admit.inFlightBytes === 60);
    connection.write("a".repeat(40));
    await until(() => admit.inFlightBytes === 100);
    expect(admit.inFlight).toBe(1);
    release();
    await connection.answered();
    await until(() => admit.inFlight === 0);
    expect(admit.inFlightBytes).toBe(0);
  });

  it.each(["Content-Length: 100", "Transfer-Encoding: chunked"])(
    "are given back when the sender goes: %s",
    async (line) => {
      const { port, admit } = await serveHeld({});
      const connection = await dial(port);
      connection.write(head([line]));
      connection.write(line.startsWith("T") ? chunk("a".repeat(30)) : "a".repeat(30));
      await until(() => admit.inFlightBytes === 30);
      connection.cut();
      await until(() => admit.inFlight === 0);
      expect(admit.inFlightBytes).toBe(0);
    },
  );

  it("are those of the body as sent and with its codings undone", async () => {
    const { port, admit, release } = await serveHeld({});
    const octets = Buffer.alloc(5000, "a");
    const encoded = gzipSync(octets);
    const sent = send(port, { body: encoded, headers: { "content-encoding": "gzip" } });
    await until(() => admit.inFlightBytes === encoded.length + octets.length);
    release();
    expect((await sent).status).toBe(200);
    await until(() => admit.inFlightBytes === 0);
  });

  it("let in as many as the limit has room for, and not one octet more", async () => {
    const { port, admit, release, reached } = await serveHeld({ maxInFlightBytes: 100 });
    const first = send(port, { body: "a".repeat(60) });
    await until(() => admit.inFlightBytes === 60);
    const refused = await send(port, { body: "a".repeat(41) });
    expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(refused.json.code).toBe("ERR_WEBHOOK_BUSY");
    // What is declared is refused before the handler.
    expect([reached(), admit.inFlight, admit.inFlightBytes]).toEqual([1, 1, 60]);
    const second = send(port, { body: "a".repeat(40) });
    await until(() => admit.inFlightBytes === 100);
    release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    await until(() => admit.inFlight === 0);
    expect((await send(port, { body: "a".repeat(100) })).status).toBe(200);
  });

  it("refuse a body in chunks when it passes the limit, not before", async () => {
    const { port, admit, reached } = await serveHeld({ maxInFlightBytes: 100 }, { isHeld: false });
    expect((await send(port, { body: ["a".repeat(60), "a".repeat(40)] })).status).toBe(200);
    expect((await send(port, { body: ["a".repeat(60), "a".repeat(41)] })).json.code).toBe("ERR_WEBHOOK_BUSY");
    expect(reached()).toBe(2);
    await until(() => admit.inFlight === 0);
    expect(admit.inFlightBytes).toBe(0);
  });

  it.each([1, 2])(
    "refuse a coded body that passes the limit when its coding is undone, in %d pieces",
    async (pieces) => {
      const { port, admit } = await serveHeld({ maxInFlightBytes: 10_000 }, { isHeld: false });
      const encoded = gzipSync(Buffer.alloc(20_000));
      const body = pieces === 1 ? encoded : [encoded.subarray(0, 20), encoded.subarray(20)];
      const refused = await send(port, { body, headers: { "content-encoding": "gzip" } });
      expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
      await until(() => admit.inFlight === 0);
      expect(admit.inFlightBytes).toBe(0);
    },
  );

  it("are not taken by who announces much and sends nothing", async () => {
    const { port, admit } = await serveHeld({ maxInFlightBytes: 1000 }, { isHeld: false });
    const idle = await Promise.all(Array.from({ length: 20 }, () => dial(port)));
    for (const connection of idle) connection.write(head(["Content-Length: 900"]));
    await until(() => admit.inFlight === 20);
    expect(admit.inFlightBytes).toBe(0);
    expect((await send(port, { body: "a".repeat(900) })).status).toBe(200);
  });

  it("are bounded by what may be sent, where more is announced than decompress lets in", async () => {
    const admit = admission({ maxInFlightBytes: 1_500_000 });
    const { port } = await serve(admit, (_req: unknown, res: http.ServerResponse) => void res.end(), problem());
    // Without decompress nothing has refused the length yet: at most the default limit of it will ever be held.
    const connection = await dial(port);
    connection.write(head(["Content-Length: 99999999"]));
    await connection.answered();
    expect(connection.statuses()).toEqual([200]);
  });

  it("throw at start for a limit that is none", () => {
    for (const maxInFlightBytes of [0, -1, Number.NaN, "128mb"]) {
      expect(() => admission({ maxInFlightBytes: maxInFlightBytes as number })).toThrow(/^maxInFlightBytes: /);
    }
  });
});

describe("admission.drain [T18]", () => {
  it("resolves at once where nothing is under way", async () => {
    expect(await admission().drain()).toEqual({ unanswered: 0 });
  });

  it("lets what is under way be answered, and refuses what comes", async () => {
    const { port, admit, release, reached } = await serveHeld({});
    const underWay = send(port, { body: "a" });
    await until(() => admit.inFlight === 1 && reached() === 1);
    const drained = admit.drain({ timeoutMs: 5000 });
    for (const body of ["a", ["a", "b"], undefined, "a".repeat(200_000)]) {
      const refused = await send(port, { ...(body !== undefined && { body }) });
      expect(refused.status).toBe(503);
      expect(refused.headers).toMatchObject({ connection: "close", "retry-after": "1" });
      expect(refused.json.code).toBe("ERR_WEBHOOK_DRAINING");
    }
    expect([reached(), admit.inFlight]).toEqual([1, 1]);
    release();
    expect((await underWay).status).toBe(200);
    expect(await drained).toEqual({ unanswered: 0 });
    expect((await send(port, { body: "a" })).status).toBe(503);
  });

  it("resolves after its time to how many are unanswered", async () => {
    const { port, admit } = await serveHeld({});
    const connections = await Promise.all([dial(port), dial(port)]);
    for (const connection of connections) connection.write(head(["Content-Length: 1"]));
    await until(() => admit.inFlight === 2);
    const startedAt = performance.now();
    expect(await admit.drain({ timeoutMs: 100 })).toEqual({ unanswered: 2 });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
  });

  it("is one drain however often it is asked for, whatever the time", async () => {
    const { port, admit, release } = await serveHeld({});
    const underWay = send(port, { body: "a" });
    await until(() => admit.inFlightBytes === 1);
    const drained = admit.drain({ timeoutMs: 5000 });
    expect(admit.drain({ timeoutMs: 1 })).toBe(drained);
    expect(admit.drain()).toBe(drained);
    release();
    expect(await drained).toEqual({ unanswered: 0 });
    expect((await underWay).status).toBe(200);
  });

  it("does not wait for a sender that goes", async () => {
    const { port, admit } = await serveHeld({});
    const connection = await dial(port);
    connection.write(head(["Content-Length: 10"]));
    await until(() => admit.inFlight === 1);
    const drained = admit.drain({ timeoutMs: 5000 });
    connection.cut();
    expect(await drained).toEqual({ unanswered: 0 });
  });

  it("does not wait for a sender that had gone before the step was reached", async () => {
    const admit = admission();
    let reached = 0;
    // As an app's own middleware that looks something up, and is left meanwhile.
    const wait = (req: http.IncomingMessage, _res: unknown, next: () => void): void => {
      req.resume();
      req.once("close", () => setImmediate(next));
    };
    const count = (_req: unknown, _res: unknown, next: () => void): void => {
      reached++;
      next();
    };
    const { port } = await serve(wait, admit, count, problem());
    const connection = await dial(port);
    connection.write(head(["Content-Length: 10"]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.cut();
    await until(() => reached === 1);
    expect(admit.inFlight).toBe(0);
    expect(await admit.drain({ timeoutMs: 5000 })).toEqual({ unanswered: 0 });
  });

  it("throws for a time that is none, and drains nothing then", async () => {
    const { port, admit } = await serveHeld({}, { isHeld: false });
    for (const timeoutMs of [0, -1, Number.NaN, "10s"]) {
      expect(() => admit.drain({ timeoutMs: timeoutMs as number })).toThrow(/^timeoutMs: /);
    }
    expect((await send(port, { body: "a" })).status).toBe(200);
  });

  it("is a node's too", async () => {
    let confirm: (() => void) | undefined;
    const { port, node, outcomes } = await serveNode({
      emitter: () => new Promise<void>((resolve) => (confirm = resolve)),
    });
    const underWay = send(port, { body: "{}" });
    await until(() => confirm !== undefined);
    const drained = node.drain();
    expect((await send(port, { body: "{}" })).status).toBe(503);
    confirm?.();
    expect((await underWay).status).toBe(200);
    expect(await drained).toEqual({ unanswered: 0 });
    expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([
      ["failed", 503],
      ["delivered", 200],
    ]);
  });
});
