/** Senders that go away: before the head is whole, within the body, behind it, while the message is emitted. */
import type { RequestHandler } from "express";
import { AuthCredentials, SimpleUser, type Message } from "express-webhook-node";
import { chunk, dial, head } from "../support/dial";
import { CODE, exchange, send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { servePath } from "./path";

watchUnhandled();

const CODINGS = ["identity", "gzip", "deflate", "br"] as const;
const JSON_TYPE = "Content-Type: application/json";
const GOOD = JSON.stringify({ hello: "world", list: Array.from({ length: 300 }, (_, at) => at) });
const PAIR = [new AuthCredentials(["push"]), new SimpleUser("shop")] as const;
const REQUEST = `${head([JSON_TYPE, `Content-Length: ${GOOD.length}`])}${GOOD}`;

/** A promise, and what settles it. */
function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

/** Lets everything that is due run. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("a sender that goes before its head is whole [T12]", () => {
  it.each([0, 1, 10, 40, -1])("(cut at octet %i) is no request at all", async (at) => {
    const { port, messages, outcomes } = await serveNode();
    const fields = head([JSON_TYPE, "Content-Length: 2"]);
    const client = await dial(port);
    client.write(fields.slice(0, at));
    await turn();
    client.cut();
    expect((await send(port, { body: "{}" })).status).toBe(200);
    expect({ emitted: messages.length, outcomes: outcomes.length }).toEqual({ emitted: 1, outcomes: 1 });
  });
});

describe.each(CODINGS)("a sender that goes within its body in %s [T12]", (coding) => {
  const octets = CODE[coding](GOOD);
  const fields = [JSON_TYPE, `Content-Encoding: ${coding}`];
  const half = octets.subarray(0, octets.length / 2);

  it.each<[string, string, Buffer]>([
    ["at its beginning", `Content-Length: ${octets.length}`, Buffer.alloc(0)],
    ["half-way", `Content-Length: ${octets.length}`, half],
    ["before its last octet", `Content-Length: ${octets.length}`, octets.subarray(0, -1)],
    ["at the beginning of its chunks", "Transfer-Encoding: chunked", Buffer.alloc(0)],
    ["between two chunks", "Transfer-Encoding: chunked", chunk(half)],
    ["within a chunk", "Transfer-Encoding: chunked", chunk(octets).subarray(0, -5)],
    ["before its last chunk", "Transfer-Encoding: chunked", chunk(octets)],
  ])("%s: nothing is emitted, nothing is held, and the outcome is aborted", async (_, framing, part) => {
    const settledBy: string[] = [];
    const { port, admit, messages, outcomes, settled } = await servePath({
      authenticator: async ({ body, signal }) => {
        signal.addEventListener("abort", () => settledBy.push("signal"));
        await body.bytes().finally(() => settledBy.push("bytes"));
        return PAIR;
      },
    });
    const client = await dial(port);
    client.write(Buffer.concat([Buffer.from(head([...fields, framing])), part]));
    await until(() => admit.inFlight === 1 && admit.inFlightBytes >= part.length - 8);
    // Once at rest, and once with a decoder at work.
    await turn();
    client.cut();
    await settled(1);
    await until(() => settledBy.length === 2);
    expect(settledBy.toSorted()).toEqual(["bytes", "signal"]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["aborted", "ERR_WEBHOOK_ABORTED"]]);
    expect(messages).toEqual([]);
  });

  it("by closing its half of the connection alone: as if it had gone", async () => {
    const { port, messages, outcomes, settled } = await servePath();
    const { statuses } = await exchange(port, [head([...fields, `Content-Length: ${octets.length}`]), half], {
      end: true,
      ms: 1000,
    });
    await settled(1);
    expect(statuses.every((status) => status === 400)).toBe(true);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["aborted"]);
    expect(messages).toEqual([]);
  });
});

describe("a sender that goes while it is authenticated [T12]", () => {
  it.each([
    ["before its body is read", false],
    ["after its body was read", true],
  ])("%s: the signal fires, and a late acceptance emits nothing", async (_, reads) => {
    const gate = deferred();
    const asked = deferred<AbortSignal>();
    const { port, messages, outcomes, admit, settled } = await servePath({
      authenticator: async ({ body, signal }) => {
        if (reads) await body.bytes();
        asked.resolve(signal);
        await gate.promise;
        return PAIR;
      },
    });
    const client = await dial(port);
    client.write(REQUEST);
    const signal = await asked.promise;
    client.cut();
    await settled(1);
    expect(signal.aborted).toBe(true);
    gate.resolve();
    await turn();
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["aborted", "ERR_WEBHOOK_ABORTED"]]);
    expect(admit.inFlightBytes).toBe(0);
  });

  it("and the authenticator reads the body afterwards: it is told that the sender has gone", async () => {
    const gate = deferred();
    const asked = deferred();
    const told = deferred<unknown>();
    const { port, messages, settled, admit } = await servePath({
      authenticator: async ({ body }) => {
        asked.resolve();
        await gate.promise;
        await body.bytes().then(told.resolve, told.resolve);
        return PAIR;
      },
    });
    const client = await dial(port);
    client.write(REQUEST);
    await asked.promise;
    client.cut();
    await settled(1);
    gate.resolve();
    expect(await told.promise).toMatchObject({ code: "ERR_WEBHOOK_ABORTED" });
    await turn();
    expect(messages).toEqual([]);
    expect(admit.inFlightBytes).toBe(0);
  });

  // Node's server ends a connection whose other half was closed, so that no answer would arrive.
  it("by closing its half of the connection, having sent all: nothing is emitted that it could not be told of", async () => {
    const { port, messages, outcomes, settled } = await servePath({
      authenticator: async ({ body, signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await body.bytes();
        return PAIR;
      },
    });
    const client = await dial(port, { allowHalfOpen: true });
    client.socket.end(REQUEST);
    await client.closed;
    await settled(1);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["aborted"]);
    expect(messages).toEqual([]);
  });
});

describe("a sender that goes while its message is emitted [T12, J1]", () => {
  it("lets the emit finish: the outcome is delivered, and the signal stays still", async () => {
    const gate = deferred();
    const emitting: { message: Message; signal: AbortSignal }[] = [];
    const { port, outcomes, admit, settled } = await servePath({
      emitter: async (message, { signal }) => {
        emitting.push({ message, signal });
        await gate.promise;
      },
    });
    const client = await dial(port);
    client.write(REQUEST);
    await until(() => emitting.length === 1);
    client.cut();
    await turn();
    expect(outcomes).toEqual([]);
    expect(admit.inFlight).toBe(1);
    expect(emitting[0]?.signal.aborted).toBe(false);
    gate.resolve();
    await settled(1);
    expect(outcomes).toMatchObject([{ kind: "delivered", trackingId: emitting[0]?.message.trackingId }]);
    expect(emitting).toHaveLength(1);
  });

  it("and whose emit then fails: the outcome is failed, once", async () => {
    const gate = deferred();
    let emitting = 0;
    const { port, outcomes, settled } = await servePath({
      emitter: async () => {
        emitting++;
        await gate.promise;
      },
    });
    const client = await dial(port);
    client.write(REQUEST);
    await until(() => emitting === 1);
    client.cut();
    await turn();
    gate.reject(new Error("down"));
    await settled(1);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["failed", "ERR_WEBHOOK_EMIT"]]);
  });

  it("and whose emit never ends: it is given up at the deadline, and nothing is held", async () => {
    let emitting = 0;
    const { port, outcomes, settled } = await servePath({
      deadlineMs: 200,
      emitter: () => {
        return emitting++ === 0 ? new Promise(() => {}) : Promise.resolve();
      },
    });
    const client = await dial(port);
    client.write(REQUEST);
    await until(() => emitting === 1);
    client.cut();
    await until(() => outcomes.length === 1);
    // V8 may hold on to what it has called last, where it keeps count of calls: so another request comes.
    const next = await dial(port);
    next.write(REQUEST);
    await next.answered();
    await settled(2);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failed", "ERR_WEBHOOK_DEADLINE"],
      ["delivered", undefined],
    ]);
  });
});

describe("a sender that has gone before the node sees its request [T12]", () => {
  it.each([
    ["with its body", REQUEST],
    ["without its body", head([JSON_TYPE, `Content-Length: ${GOOD.length}`])],
  ])("(%s) is counted once, emits nothing, and is not held for ever", async (_, request) => {
    const gate = deferred();
    let waiting = 0;
    const slow: RequestHandler = (_request, _response, next) => {
      waiting++;
      void gate.promise.then(() => next());
    };
    const { port, admit, messages, outcomes, settled } = await servePath({ maxInFlightBytes: 20_000 }, [slow]);
    for (let at = 0; at < 10; at++) {
      const client = await dial(port);
      client.write(request);
      await until(() => waiting === at + 1);
      client.cut();
    }
    await turn();
    gate.resolve();
    await settled(10);
    expect(admit.inFlight).toBe(0);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["aborted"]));
    expect(messages).toEqual([]);
    // Ten bodies that were never given back would leave no room for this one.
    expect((await send(port, { body: `"${"x".repeat(9000)}"` })).status).toBe(200);
  });
});

describe("two hundred senders that go at any moment [T12]", () => {
  it("each have one outcome, an emit if and only if it is delivered, and leave nothing behind", async () => {
    const { port, admit, messages, outcomes } = await servePath({
      deadlineMs: 2000,
      authenticator: async ({ body }) => {
        await turn();
        await body.bytes();
        return PAIR;
      },
    });
    const requests = CODINGS.map((coding) => {
      const octets = CODE[coding](GOOD);
      return Buffer.concat([
        Buffer.from(head([JSON_TYPE, `Content-Encoding: ${coding}`, `Content-Length: ${octets.length}`])),
        octets,
      ]);
    });
    const headLength = (request: Buffer): number => request.indexOf("\r\n\r\n") + 4;
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const request = requests[at % 4] as Buffer;
        // From the end of the head to the end of the body, in steps.
        const upTo = headLength(request) + Math.floor(((request.length - headLength(request)) * (at % 50)) / 49);
        const client = await dial(port);
        client.write(request.subarray(0, upTo));
        await new Promise((resolve) => setTimeout(resolve, (at * 7) % 50));
        client.cut();
      }),
    );
    await until(() => outcomes.length === 200 && admit.inFlight === 0);
    expect(admit.inFlightBytes).toBe(0);
    const kinds = outcomes.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set([...kinds.filter((kind) => kind === "delivered"), "aborted"]));
    expect(kinds.filter((kind) => kind === "delivered")).toHaveLength(messages.length);
    expect((await send(port, { body: GOOD })).status).toBe(200);
  });
});
