/**
 * Every request ends in one outcome, and all who observe read the same one.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { NextFunction, Request, Response } from "express";
import express from "express";
import {
  AuthCredentials,
  createWebhookNode,
  delivery,
  HTTPException,
  PermanentError,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
  type Outcome,
  type OutcomeKind,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { recordingLogger, send, serve, serveApp, serveNode, until, type Sent, type ServedNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const CHANNEL = "express-webhook-node:outcome";
const JSON_TYPE = "Content-Type: application/json";

/** Collects what the channel publishes of one node, during a test. */
const published: Outcome[] = [];
const collect = (outcome: unknown): void => void published.push(outcome as Outcome);
afterEach(() => {
  unsubscribe(CHANNEL, collect);
  published.length = 0;
});

type Act = (served: ServedNode) => Promise<unknown>;
const sending =
  (sent: Sent): Act =>
  ({ port }) =>
    send(port, { body: "1", ...sent });

/** Writes octets and waits for the answer. */
const dialling =
  (...octets: string[]): Act =>
  async ({ port }) => {
    const connection = await dial(port);
    for (const one of octets) connection.write(one);
    await connection.answered();
  };

/** Writes octets, waits until the node has begun with them, and cuts the connection. */
const cutting =
  (octets: string, isBegun: (served: ServedNode) => boolean): Act =>
  async (served) => {
    const connection = await dial(served.port);
    connection.write(octets);
    await until(() => isBegun(served));
    connection.cut();
  };

const throwing =
  (error: unknown): Authenticator =>
  () => {
    throw error;
  };
const hanging = (): Promise<never> => new Promise(() => {});
const whole = `${head([JSON_TYPE, "Content-Length: 1"])}1`;
let isAsked = false;

const endings: readonly (readonly [
  name: string,
  kind: OutcomeKind,
  status: number,
  code: string | undefined,
  options: Partial<WebhookNodeOptions>,
  act: Act,
])[] = [
  ["a confirmed message", "delivered", 200, undefined, {}, sending({})],
  [
    "a message in the dead letters",
    "delivered",
    200,
    undefined,
    { emitter: () => Promise.reject(new PermanentError("never")), deadLetter: async () => {} },
    sending({}),
  ],
  [
    "an exception of 200",
    "answered",
    200,
    "ERR_WEBHOOK_HTTP_EXCEPTION",
    { authenticator: throwing(new HTTPException(200)) },
    sending({}),
  ],
  [
    "an exception of 204",
    "answered",
    204,
    "ERR_WEBHOOK_HTTP_EXCEPTION",
    { authenticator: throwing(new HTTPException(204)) },
    sending({}),
  ],
  [
    "an exception of 302",
    "answered",
    302,
    "ERR_WEBHOOK_HTTP_EXCEPTION",
    { authenticator: throwing(new HTTPException(302)) },
    sending({}),
  ],
  ["another method", "refused", 405, "ERR_WEBHOOK_METHOD", {}, sending({ method: "PUT" })],
  [
    "a transfer coding",
    "failed",
    501,
    "ERR_WEBHOOK_TRANSFER_CODING",
    {},
    dialling(head([JSON_TYPE, "Transfer-Encoding: nope, chunked"])),
  ],
  [
    "two Host lines",
    "refused",
    400,
    "ERR_WEBHOOK_FIELD",
    {},
    dialling(head([JSON_TYPE, "Host: other", "Content-Length: 1"]), "1"),
  ],
  [
    "another media type",
    "refused",
    415,
    "ERR_WEBHOOK_CONTENT_TYPE",
    {},
    sending({ headers: { "content-type": "text/xml" } }),
  ],
  [
    "another charset",
    "refused",
    415,
    "ERR_WEBHOOK_CHARSET",
    {},
    sending({ headers: { "content-type": "application/json;charset=utf-7" } }),
  ],
  [
    "another coding",
    "refused",
    415,
    "ERR_WEBHOOK_CONTENT_CODING",
    {},
    sending({ headers: { "content-encoding": "lzma" } }),
  ],
  ["too much declared", "refused", 413, "ERR_WEBHOOK_BODY_TOO_LARGE", { maxBytes: 2 }, sending({ body: "1234" })],
  [
    "too much arriving",
    "refused",
    413,
    "ERR_WEBHOOK_BODY_TOO_LARGE",
    { maxBytes: 2 },
    sending({ body: ["1", "23", "4"] }),
  ],
  ["no room", "failed", 503, "ERR_WEBHOOK_BUSY", { maxInFlightBytes: 2 }, sending({ body: "1234" })],
  [
    "a late body",
    "refused",
    408,
    "ERR_WEBHOOK_BODY_TIMEOUT",
    { deadlineMs: 200 },
    dialling(head([JSON_TYPE, "Content-Length: 9"])),
  ],
  [
    "a damaged body",
    "refused",
    400,
    "ERR_WEBHOOK_BODY_DAMAGED",
    {},
    sending({ headers: { "content-encoding": "br" }, body: "junk" }),
  ],
  ["no body", "refused", 400, "ERR_WEBHOOK_BODY_EMPTY", {}, sending({ body: "" })],
  ["no text", "refused", 400, "ERR_WEBHOOK_TEXT", {}, sending({ body: Buffer.from([0x22, 0xff, 0x22]) })],
  ["no JSON", "refused", 400, "ERR_WEBHOOK_JSON", {}, sending({ body: "{" })],
  ["deep JSON", "refused", 400, "ERR_WEBHOOK_JSON_DEPTH", { maxDepth: 1 }, sending({ body: "[[]]" })],
  [
    "an exception of 401",
    "refused",
    401,
    "ERR_WEBHOOK_HTTP_EXCEPTION",
    { authenticator: throwing(new HTTPException(401)) },
    sending({}),
  ],
  [
    "an exception of 503",
    "failed",
    503,
    "ERR_WEBHOOK_HTTP_EXCEPTION",
    { authenticator: throwing(new HTTPException(503)) },
    sending({}),
  ],
  [
    "an error with a status",
    "refused",
    409,
    undefined,
    { authenticator: throwing(Object.assign(new Error("a"), { status: 409 })) },
    sending({}),
  ],
  ["any other error", "failed", 500, "ERR_WEBHOOK_INTERNAL", { authenticator: throwing(new Error("a")) }, sending({})],
  ["nothing thrown", "failed", 500, "ERR_WEBHOOK_INTERNAL", { authenticator: throwing(undefined) }, sending({})],
  ["null", "refused", 403, "ERR_WEBHOOK_FORBIDDEN", { authenticator: () => null }, sending({})],
  [
    "an unknown user",
    "refused",
    403,
    "ERR_WEBHOOK_FORBIDDEN",
    { authenticator: () => [new AuthCredentials(), new UnauthenticatedUser()] },
    sending({}),
  ],
  [
    "a broken authenticator",
    "failed",
    500,
    "ERR_WEBHOOK_AUTHENTICATOR",
    { authenticator: (() => {}) as never },
    sending({}),
  ],
  [
    "a hanging authenticator",
    "failed",
    503,
    "ERR_WEBHOOK_DEADLINE",
    { authenticator: hanging, deadlineMs: 200 },
    sending({}),
  ],
  [
    "a failing emitter",
    "failed",
    503,
    "ERR_WEBHOOK_EMIT",
    { emitter: () => Promise.reject(new Error("a")) },
    sending({}),
  ],
  ["a broken emitter", "failed", 503, "ERR_WEBHOOK_EMIT", { emitter: (() => {}) as never }, sending({})],
  ["a hanging emitter", "failed", 503, "ERR_WEBHOOK_DEADLINE", { emitter: hanging, deadlineMs: 200 }, sending({})],
  [
    "an unwanted message",
    "refused",
    422,
    "ERR_WEBHOOK_MESSAGE_REFUSED",
    { emitter: () => Promise.reject(new PermanentError("a")) },
    sending({}),
  ],
  [
    "a failing groupId",
    "failed",
    500,
    "ERR_WEBHOOK_INTERNAL",
    {
      groupId: () => {
        throw new Error("a");
      },
    },
    sending({}),
  ],
  [
    "a failing respond",
    "delivered",
    200,
    undefined,
    {
      respond: () => {
        throw new Error("a");
      },
    },
    sending({}),
  ],
  [
    "a node that drains",
    "failed",
    503,
    "ERR_WEBHOOK_DRAINING",
    {},
    async (served) => {
      await served.node.drain();
      await send(served.port, { body: "1" });
    },
  ],
  [
    "a sender gone while its body is awaited",
    "aborted",
    400,
    "ERR_WEBHOOK_ABORTED",
    {
      authenticator: ({ body }) => {
        isAsked = true;
        return body.bytes().then(() => null);
      },
    },
    cutting(head([JSON_TYPE, "Content-Length: 9"]), () => isAsked),
  ],
  [
    "a sender gone while the authenticator is at work",
    "aborted",
    400,
    "ERR_WEBHOOK_ABORTED",
    {
      authenticator: () => {
        isAsked = true;
        return hanging();
      },
    },
    cutting(whole, () => isAsked),
  ],
  [
    "a sender gone while the emitter is at work",
    "delivered",
    200,
    undefined,
    {
      emitter: () => {
        isAsked = true;
        return new Promise((resolve) => setTimeout(resolve, 40));
      },
    },
    cutting(whole, () => isAsked),
  ],
];

describe("an outcome", () => {
  beforeEach(() => {
    isAsked = false;
  });

  it.each(endings)("is one for %s: %s [J4]", async (_, kind, status, code, options, act) => {
    subscribe(CHANNEL, collect);
    const served = await serveNode({ name: `node of ${kind}`, ...options });
    await act(served);
    await until(() => served.outcomes.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(served.outcomes).toHaveLength(1);
    const outcome = served.outcomes[0]!;
    expect(outcome).toMatchObject({ kind, status, node: `node of ${kind}` });
    expect(outcome.code).toBe(code);
    expect(outcome.receivedAt).toBeInstanceOf(Date);
    expect(outcome.durationMs).toBeGreaterThanOrEqual(0);
    // What was thrown may be undefined; what is not known is absent.
    const { error: _thrown, ...known } = outcome;
    expect(Object.values(known)).not.toContain(undefined);
    // The channel, the log and the events tell of the same one.
    expect(published).toEqual([outcome]);
    expect(published[0]).toBe(outcome);
    expect(served.lines.filter((line) => !line.includes("respond has thrown"))).toHaveLength(1);
  });

  it("is none for a request that is not the node's [A1, J4]", async () => {
    const { port, outcomes, lines } = await serveNode();
    await send(port, { path: "/below", body: "1" });
    await new Promise((resolve) => setTimeout(resolve, 10));

    expect([outcomes, lines]).toEqual([[], []]);
  });

  it("is one for each request of a connection [J4]", async () => {
    const { port, outcomes, messages } = await serveNode();
    const connection = await dial(port);
    connection.write(whole + whole + whole);
    await connection.answered(3);

    expect(outcomes.map(({ trackingId }) => trackingId)).toEqual(messages.map(({ trackingId }) => trackingId));
    expect(new Set(outcomes.map(({ trackingId }) => trackingId)).size).toBe(3);
  });

  it.each<[number, OutcomeKind]>([
    [200, "answered"],
    [302, "answered"],
    [404, "refused"],
    [500, "failed"],
  ])("tells of an answer by the app's own handler, too: %d is %s [J4]", async (status, kind) => {
    const lines: string[] = [];
    let seen: Outcome | undefined;
    const { begin } = await import("express-webhook-node");
    const { port } = await serve(
      begin({ logger: recordingLogger(lines) }),
      (request: Request, response: Response, next: NextFunction) => {
        response.on("close", () => (seen = delivery(request).outcome));
        next();
      },
      (_request: Request, response: Response) => void response.status(status).end(),
    );
    await send(port, { body: "1" });
    await until(() => lines.length > 0);

    expect(lines[0]).toContain(`webhook webhook: ${kind}, ${status}`);
    await until(() => seen !== undefined);
    expect(seen).toMatchObject({ kind, status });
  });

  it("holds what was thrown, and what mends it, for who observes [C2, J4]", async () => {
    const error = new Error("the vault is sealed");
    const { port, outcomes } = await serveNode({ emitter: () => Promise.reject(error) });
    await send(port, { body: "1" });

    expect(outcomes[0]!.error).toBe(error);
    expect(outcomes[0]!.detail).toBe("The delivery could not be taken now; send it again.");
  });
});

describe("durations", () => {
  /** Serves a node nobody listens to, and hands out the outcome of its requests. */
  async function serveUnobserved() {
    const outcomes: Outcome[] = [];
    const node = createWebhookNode({
      anonymous: "accept",
      logger: recordingLogger([]),
      emitter: () => new Promise((resolve) => setTimeout(resolve, 20)),
    });
    const app = express();
    app.use((request, response, next) => {
      response.on("finish", () => outcomes.push(delivery(request).outcome!));
      next();
    });
    app.use(node);
    return { ...(await serveApp(app)), node, outcomes };
  }

  it("are measured where somebody listens to the node's events, for each step [J4]", async () => {
    const { port, node, outcomes } = await serveUnobserved();
    node.events.on("outcome", () => {});
    await send(port, { body: "1" });
    await until(() => outcomes.length > 0);
    const { durations, durationMs } = outcomes[0]!;

    for (const name of [
      "begin",
      "methodGate",
      "contentTypeGate",
      "decompress",
      "admission",
      "authenticate",
      "jsonPayload",
      "emit",
    ]) {
      expect(durations![name]).toBeGreaterThanOrEqual(0);
    }
    expect(durations!["emit"]).toBeGreaterThan(15);
    expect(Object.values(durations!).reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(durationMs + 1);
  });

  it("are measured where somebody has subscribed to the channel [J4]", async () => {
    subscribe(CHANNEL, collect);
    const { port, outcomes } = await serveUnobserved();
    await send(port, { body: "1" });
    await until(() => outcomes.length > 0);

    expect(outcomes[0]!.durations).toHaveProperty("emit");
    expect(published).toEqual(outcomes);
  });

  it("are absent where nobody listens, but the whole time is there [J4]", async () => {
    const { port, outcomes } = await serveUnobserved();
    await send(port, { body: "1" });
    await until(() => outcomes.length > 0);

    expect(outcomes[0]).not.toHaveProperty("durations");
    expect(outcomes[0]!.durationMs).toBeGreaterThan(15);
  });
});

describe("who observes", () => {
  it("changes nothing by throwing, and the log tells of it [J1, J4]", async () => {
    const { port, node, messages, lines } = await serveNode();
    node.events.prependListener("outcome", () => {
      throw new Error("a listener's own");
    });
    const answered = await send(port, { body: "1" });
    const refused = await send(port, { body: "{" });

    expect([answered.status, answered.json]).toEqual([200, { trackingId: messages[0]!.trackingId }]);
    expect(refused.status).toBe(400);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe("error: webhook webhook: an observer of outcomes has thrown | a listener's own");
  });

  it("changes nothing by altering what it is told [J1]", async () => {
    const { port, node } = await serveNode();
    node.events.on("outcome", (outcome) => {
      try {
        Object.assign(outcome, { status: 500, kind: "failed", trackingId: "0" });
      } catch {
        // It may be frozen.
      }
    });

    expect((await send(port, { body: "1" })).json.trackingId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("hears of an outcome before the sender has read the answer [J4]", async () => {
    const { port, outcomes } = await serveNode({ authenticator: () => [new AuthCredentials(), new SimpleUser("a")] });
    for (let times = 1; times <= 5; times++) {
      await send(port, { body: "1" });
      expect(outcomes).toHaveLength(times);
    }
  });
});
