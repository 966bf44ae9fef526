/** Emitters that fail in every way, and what the sender is told: 2xx if, and only if, the message is confirmed. */
import http from "node:http";
import {
  fromEventEmitter,
  PermanentError,
  WebhookError,
  type Emitter,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { EventEmitter } from "node:events";
import { dial, head } from "../support/dial";
import { send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectProblem } from "./refused";
import { rejecter, thenable, thrower, trapped, unreadable } from "./values";

watchUnhandled();

const GOOD = `${head(["Content-Type: application/json", "Content-Length: 2"])}{}`;

/** Emitters that do not confirm. */
const FAILING: readonly [string, () => unknown][] = [
  ["rejects with an error", () => Promise.reject(new Error("secret: amqp://user:password@broker"))],
  ["rejects with null", rejecter(null)],
  ["rejects with undefined", rejecter(undefined)],
  ["rejects with a string", rejecter("secret")],
  ["rejects with an error of success", () => Promise.reject(Object.assign(new Error("secret"), { status: 200 }))],
  [
    "rejects with an error of 400",
    () => Promise.reject(Object.assign(new Error("secret"), { status: 400, expose: true })),
  ],
  ["throws at once", thrower(new Error("secret"))],
  ["throws null at once", thrower(null)],
  ["throws undefined at once", thrower(undefined)],
  [
    "throws an error whose members throw",
    thrower(unreadable(["code", "retryAfterSeconds", "status", "message", "name"])),
  ],
  ["throws a proxy whose every trap throws", thrower(trapped())],
  ["returns undefined", () => undefined],
  ["returns null", () => null],
  ["returns true", () => true],
  ["returns an object", () => ({ ok: true })],
  ["returns a function", () => async () => true],
  ["returns a promise of a kind of its own, which throws", () => thenable({ value: thrower(new Error("secret")) })],
  ["returns what throws when it is looked at", () => thenable({ get: thrower(new Error("secret")) })],
];

describe("an emitter that fails [T17, J1]", () => {
  it.each(FAILING)("and %s: 503 with Retry-After, and nothing of the failure", async (_, emitter) => {
    const { port, outcomes } = await serveNode({ emitter: emitter as Emitter });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 503, "ERR_WEBHOOK_EMIT");
    expect(answered.headers["retry-after"]).toBe("1");
    expect(answered.text).not.toContain("secret");
    expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([["failed", 503]]);
  });

  it.each(FAILING)("as the dead letters' emitter, and %s: 503 as well", async (_, deadLetter) => {
    const { port, outcomes } = await serveNode({
      emitter: () => Promise.reject(new PermanentError("never")),
      deadLetter: deadLetter as Emitter,
    });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 503, "ERR_WEBHOOK_EMIT");
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answered.text).not.toContain("secret");
    expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([["failed", 503]]);
  });

  it.each(FAILING)("for one of two items, and %s: 503 for the whole delivery", async (_, emitter) => {
    const { port, outcomes } = await serveNode({
      split: true,
      emitter: ((message: Message) => (message.payload === 2 ? emitter() : Promise.resolve())) as Emitter,
    });
    expectProblem(await send(port, { body: "[1,2]" }), 503, "ERR_WEBHOOK_EMIT");
    expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([["failed", 503]]);
  });

  it("names a missing await in the log", async () => {
    const { port, lines } = await serveNode({ emitter: (() => undefined) as unknown as Emitter });
    await send(port, { body: "{}" });
    expect(lines).toEqual([
      expect.stringMatching(/^error: .*returned undefined, and no promise.*"await" or "async" missing/),
    ]);
  });
});

describe("an emitter that is full [T17]", () => {
  it.each([
    [17, "17"],
    [0.2, "1"],
    [1.2, "2"],
    [0, "1"],
    [-5, "1"],
    [Number.NaN, "1"],
    [Number.POSITIVE_INFINITY, "2147483648"],
    [1e21, "2147483648"],
    ["30", "1"],
    [null, "1"],
  ])("and asks for %p seconds is 503 with Retry-After: %s", async (retryAfterSeconds, expected) => {
    const { port } = await serveNode({
      emitter: () => Promise.reject(Object.assign(new Error("full"), { retryAfterSeconds })),
    });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 503, "ERR_WEBHOOK_EMIT");
    expect(answered.headers["retry-after"]).toBe(expected);
  });
});

describe("an emitter that never settles [T17, J2]", () => {
  it("is 503 at the deadline, and a confirmation that comes later sends no second answer", async () => {
    const confirm: (() => void)[] = [];
    let signal: AbortSignal | undefined;
    const { port, outcomes } = await serveNode({
      deadlineMs: 200,
      emitter: (_, context) => {
        signal = context.signal;
        return new Promise<void>((resolve) => confirm.push(resolve));
      },
    });
    const client = await dial(port);
    client.write(GOOD);
    await client.answered(1);
    expect(client.text()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: 1\r$/ms);
    expect(signal?.aborted).toBe(true);
    confirm[0]?.();

    // The connection lives on, and the next answer on it belongs to the next request.
    client.write(GOOD);
    await until(() => confirm.length === 2);
    expect(client.statuses()).toEqual([503]);
    confirm[1]?.();
    await client.answered(2);
    expect(client.statuses()).toEqual([503, 200]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failed", "ERR_WEBHOOK_DEADLINE"],
      ["delivered", undefined],
    ]);
  });

  it("and rejects later leaves nothing behind", async () => {
    let fail: (error: unknown) => void = () => {};
    const { port, outcomes } = await serveNode({
      deadlineMs: 100,
      emitter: () => new Promise((_, reject) => (fail = reject)),
    });
    expectProblem(await send(port, { body: "{}" }), 503, "ERR_WEBHOOK_DEADLINE");
    fail(new PermanentError("too late"));
    expect(outcomes).toHaveLength(1);
  });

  it("holds up nobody else", async () => {
    const { port } = await serveNode({
      deadlineMs: 1000,
      emitter: (message) => (message.payload === "stuck" ? new Promise(() => {}) : Promise.resolve()),
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
    const stuck = Array.from({ length: 20 }, () => send(port, { body: '"stuck"', agent }));
    const good = await Promise.all(Array.from({ length: 20 }, () => send(port, { body: '"good"', agent })));
    expect(good.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await Promise.all(stuck)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 503));
    agent.destroy();
  });
});

describe("an emitter that refuses for good", () => {
  it("is 422 without dead letters, so that the sender does not try again", async () => {
    const { port } = await serveNode({ emitter: () => Promise.reject(new PermanentError("secret")) });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 422, "ERR_WEBHOOK_MESSAGE_REFUSED");
    expect(answered.headers).not.toHaveProperty("retry-after");
    expect(answered.text).not.toContain("secret");
  });

  it("is 200 once the dead letters have it, and 503 if they do not settle in time [J1]", async () => {
    const kept: Message[] = [];
    const good = await serveNode({
      emitter: () => Promise.reject(new PermanentError("never")),
      deadLetter: async (message) => void kept.push(message),
    });
    expect((await send(good.port, { body: "{}" })).status).toBe(200);
    expect(kept).toHaveLength(1);
    expect(good.outcomes).toMatchObject([{ kind: "delivered", isDeadLetter: true }]);

    const stuck = await serveNode({
      deadlineMs: 100,
      emitter: () => Promise.reject(new PermanentError("never")),
      deadLetter: () => new Promise(() => {}),
    });
    expectProblem(await send(stuck.port, { body: "{}" }), 503, "ERR_WEBHOOK_DEADLINE");
  });

  it("cannot dictate a success by throwing: whatever the error, it is none of 2xx [J1]", async () => {
    const errors = [
      Object.assign(new Error("ok"), { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 200 }),
      Object.assign(new Error("ok"), { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 204, detail: "ok" }),
      new WebhookError("ERR_WEBHOOK_DEADLINE", "slow"),
    ];
    for (const error of errors) {
      const { port } = await serveNode({ emitter: () => Promise.reject(error) });
      expect((await send(port, { body: "{}" })).status).toBe(503);
    }
  });
});

describe("what is around an emitter changes nothing for the sender [J1]", () => {
  const circular: Record<string, unknown> = {};
  circular["itself"] = circular;

  it.each<[string, NonNullable<WebhookNodeOptions["respond"]>]>([
    ["throws", thrower(new Error("secret"))],
    ["throws null", thrower(null)],
    ["returns a bigint", () => 1n],
    ["returns a circle", () => circular],
    ["returns what throws when it is made JSON", () => ({ toJSON: thrower(new Error("secret")) })],
    ["returns a promise that rejects", () => Promise.reject(new Error("secret"))],
    ["returns a promise", () => Promise.resolve({ ok: true })],
  ])("respond that %s: the message is safe, so it is 200 with the tracking id, and a log line", async (_, respond) => {
    const { port, messages, outcomes, lines } = await serveNode({ respond });
    const answered = await send(port, { body: "{}" });
    expect(answered).toMatchObject({ status: 200, json: { trackingId: messages[0]?.trackingId } });
    expect(answered.text).not.toContain("secret");
    expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered"]);
    expect(lines).toContainEqual(expect.stringContaining("respond has thrown"));
  });

  it("a logger whose every method throws", async () => {
    const broken = thrower(new Error("secret of the logger"));
    const logger = { debug: broken, info: broken, warn: broken, error: broken };
    const good = await serveNode({ logger });
    expect((await send(good.port, { body: "{}" })).status).toBe(200);
    expectProblem(await send(good.port, { body: "{" }), 400, "ERR_WEBHOOK_JSON");
    expectProblem(await send(good.port, { method: "PUT", body: "{}" }), 405, "ERR_WEBHOOK_METHOD");
    expect(good.outcomes.map(({ kind }) => kind)).toEqual(["delivered", "refused", "refused"]);

    const bad = await serveNode({ logger, emitter: () => Promise.reject(new Error("down")) });
    expectProblem(await send(bad.port, { body: "{}" }), 503, "ERR_WEBHOOK_EMIT");
    const respond = await serveNode({ logger, respond: broken });
    expect((await send(respond.port, { body: "{}" })).status).toBe(200);
    const hanging = await serveNode({ logger, deadlineMs: 100, authenticator: () => new Promise(() => {}) });
    expectProblem(await send(hanging.port, { body: "{}" }), 503, "ERR_WEBHOOK_DEADLINE");
  });

  it("an observer of outcomes that throws", async () => {
    const { node, port, messages, lines } = await serveNode();
    node.events.on("outcome", () => {
      throw new Error("observer");
    });
    expect((await send(port, { body: "{}" })).status).toBe(200);
    expectProblem(await send(port, { body: "{" }), 400, "ERR_WEBHOOK_JSON");
    expect(messages).toHaveLength(1);
    expect(lines.filter((line) => line.includes("an observer of outcomes has thrown"))).toHaveLength(2);
  });

  it("an emitter that changes the message cannot: it is frozen", async () => {
    const { port } = await serveNode({
      emitter: async (message) => {
        (message as { trackingId: string }).trackingId = "forged";
      },
    });
    expectProblem(await send(port, { body: "{}" }), 503, "ERR_WEBHOOK_EMIT");
  });
});

describe("fromEventEmitter as the emitter [J1]", () => {
  it("is 503 where nobody listens, and where one of the listeners fails", async () => {
    const listeners = new EventEmitter();
    const { port } = await serveNode({ emitter: fromEventEmitter(listeners, "message") });
    expectProblem(await send(port, { body: "{}" }), 503, "ERR_WEBHOOK_EMIT");
    listeners.on("message", (() => Promise.resolve()) as () => void);
    expect((await send(port, { body: "{}" })).status).toBe(200);
    listeners.on("message", (() => Promise.reject(new Error("full"))) as () => void);
    listeners.on("message", () => {
      throw new Error("broken");
    });
    expectProblem(await send(port, { body: "{}" }), 503, "ERR_WEBHOOK_EMIT");
  });
});

describe("functions that a message is made by [J1]", () => {
  const broken = thrower(new Error("secret"));
  const promised = rejecter(new Error("secret"));
  const source = (traits: object): Partial<WebhookNodeOptions> => ({
    source: { name: "shop", authenticator: () => [{ scopes: [] }, { isAuthenticated: true }], ...traits },
  });

  it.each<[string, Partial<WebhookNodeOptions>]>([
    ["groupId", { groupId: broken }],
    ["split", { split: broken }],
    ["reply", source({ reply: broken })],
    ["deliveryId", source({ deliveryId: broken })],
    ["eventType", source({ eventType: broken })],
    ["a source's split", source({ split: broken })],
  ])("%s that throws is 500, and nothing is emitted", async (_, options) => {
    const { port, messages, lines } = await serveNode(options);
    const answered = await send(port, { body: "[1,2]" });
    expectProblem(answered, 500, "ERR_WEBHOOK_INTERNAL");
    expect(answered.text).not.toContain("secret");
    expect(messages).toEqual([]);
    expect(lines).toEqual([expect.stringContaining("secret")]);
  });

  // A promise would be the same "id" for all deliveries, and a "reply" to each of them.
  it.each<[string, object]>([
    ["groupId", { groupId: promised }],
    ["split", { split: promised }],
    ["reply", source({ reply: promised })],
    ["deliveryId", source({ deliveryId: promised })],
    ["eventType", source({ eventType: promised })],
    ["split", source({ split: promised })],
    ["handshake", source({ handshake: promised })],
    ["reply", source({ reply: async () => undefined })],
    ["deliveryId", source({ deliveryId: async () => "d1" })],
  ])("%s that returns a promise is 500, and the log says so", async (word, options) => {
    const { port, messages, lines } = await serveNode(options);
    expectProblem(await send(port, { body: "[1,2]" }), 500, "ERR_WEBHOOK_INTERNAL");
    expect(messages).toEqual([]);
    expect(lines).toEqual([expect.stringContaining(`${word}: it returned a promise`)]);
  });
});
