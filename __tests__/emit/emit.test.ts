/**
 * The step that emits: a delivery is acknowledged if, and only if, its message is confirmed.
 */
import type { Response } from "express";
import {
  emit,
  PermanentError,
  problem,
  WebhookError,
  type EmitContext,
  type Emitter,
  type Message,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serve, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const rejecting =
  (error: unknown): Emitter =>
  async () => {
    throw error;
  };

describe("a delivery", () => {
  it.each<[string, Emitter]>([
    ["undefined", async () => {}],
    ["false", async () => false],
    ["an error as a value", async () => new Error("as a value")],
    ["later", () => new Promise((resolve) => setTimeout(resolve, 20))],
    // oxlint-disable-next-line unicorn/no-thenable -- that any thenable will do is what is tested
    ["as any thenable", () => ({ then: (resolve: () => void) => resolve() }) as unknown as Promise<void>],
  ])("is acknowledged where the emitter's promise resolves: %s [J1]", async (_, emitter) => {
    const { port, outcomes } = await serveNode({ emitter });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(200);
    expect(answered.json).toEqual({ trackingId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(answered.headers["content-type"]).toBe("application/json");
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ kind: "delivered", status: 200, trackingId: answered.json.trackingId });
  });

  it("is not acknowledged before it resolves [J1]", async () => {
    let confirm = (): void => {};
    const { port, outcomes } = await serveNode({ emitter: () => new Promise<void>((resolve) => (confirm = resolve)) });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([connection.text(), outcomes]).toEqual(["", []]);
    confirm();
    await connection.answered();

    expect(connection.statuses()).toEqual([200]);
  });

  it.each<[string, Emitter]>([
    ["rejects", rejecting(new Error("hunter2"))],
    ["rejects with nothing", rejecting(undefined)],
    ["rejects with text", rejecting("hunter2")],
    ["rejects with a status of its own", rejecting(Object.assign(new Error("hunter2"), { status: 404, expose: true }))],
    [
      "throws",
      () => {
        throw new Error("hunter2");
      },
    ],
    [
      "throws null",
      () => {
        const nothing: unknown = null;
        throw nothing;
      },
    ],
  ])("is 503, to be sent again, where the emitter %s [J1, T17]", async (_, emitter) => {
    const { port, outcomes, lines } = await serveNode({ emitter });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(503);
    expect(answered.json).toEqual({
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "The delivery could not be taken now; send it again.",
      code: "ERR_WEBHOOK_EMIT",
    });
    expect(answered.headers["retry-after"]).toBe("1");
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["failed", "ERR_WEBHOOK_EMIT"]]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^error: webhook webhook: failed, 503 ERR_WEBHOOK_EMIT/);
  });

  it.each<[string, unknown, string]>([
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["true", true, "true"],
    ["text", "queued", '"queued"'],
    ["0", 0, "0"],
    ["{}", {}, "an object"],
    ["[]", [], "an array"],
    ["a function", async () => {}, "a function"],
    // oxlint-disable-next-line unicorn/no-thenable -- a member that is no method is what is tested
    ["an object whose then is no method", { then: true }, "an object"],
  ])(
    "is 503 where the emitter returns no promise, and the log names the missing await: %s [J1, T17]",
    async (_, value, told) => {
      const { port, lines } = await serveNode({ emitter: (() => value) as unknown as Emitter });
      const answered = await send(port, { body: "1" });

      expect([answered.status, answered.json.code, answered.headers["retry-after"]]).toEqual([
        503,
        "ERR_WEBHOOK_EMIT",
        "1",
      ]);
      expect(lines).toEqual([
        `error: webhook webhook: failed, 503 ERR_WEBHOOK_EMIT: The delivery could not be taken now; send it again. The emitter returned ${told}, and no promise, so nothing tells when the message is safe: is an "await" or "async" missing?`,
      ]);
    },
  );

  it.each<[unknown, string]>([
    [30, "30"],
    [1.2, "2"],
    [0.2, "1"],
    [86_400, "86400"],
    [0, "1"],
    [-5, "1"],
    [Number.NaN, "1"],
    // RFC 9111 section 1.2.2: what is beyond 2^31 is as good as 2^31.
    [Number.POSITIVE_INFINITY, "2147483648"],
    [1e30, "2147483648"],
    ["60", "1"],
    [undefined, "1"],
    [null, "1"],
  ])(
    "tells to come again after the seconds that the emitter's error asks for: %p [T17]",
    async (retryAfterSeconds, told) => {
      const { port } = await serveNode({ emitter: rejecting(Object.assign(new Error("full"), { retryAfterSeconds })) });
      const answered = await send(port, { body: "1" });

      expect([answered.status, answered.headers["retry-after"]]).toEqual([503, told]);
    },
  );

  it("is refused by the WebhookError that an emitter throws, such as for a message that it has no room for [G1, J1]", async () => {
    const { port } = await serveNode({
      emitter: rejecting(new WebhookError("ERR_WEBHOOK_BODY_TOO_LARGE", "Too large.")),
    });

    expect((await send(port, { body: "1" })).status).toBe(413);
  });
});

describe("an emitter that never settles", () => {
  it("is 503 at the deadline, and has its signal fired [J1, T17]", async () => {
    let signal: AbortSignal | undefined;
    const { port, outcomes, lines } = await serveNode({
      deadlineMs: 200,
      emitter: (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
    });
    const startedAt = performance.now();
    const answered = await send(port, { body: "1" });

    expect(performance.now() - startedAt).toBeGreaterThan(180);
    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_DEADLINE"]);
    expect(answered.headers["retry-after"]).toBe("1");
    expect(signal!.aborted).toBe(true);
    expect((signal!.reason as WebhookError).code).toBe("ERR_WEBHOOK_DEADLINE");
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["failed", "ERR_WEBHOOK_DEADLINE"]]);
    expect(lines[0]).toContain("deadlineMs (200)");
  });

  it.each<[string, (settle: { resolve: () => void; reject: (error: Error) => void }) => void]>([
    ["confirms", ({ resolve }) => resolve()],
    ["rejects", ({ reject }) => reject(new Error("too late"))],
    ["rejects for good", ({ reject }) => reject(new PermanentError("too late"))],
  ])("changes nothing that was sent when it %s later [J2, J4]", async (_, settle) => {
    let late: { resolve: () => void; reject: (error: Error) => void } | undefined;
    const deadLetters: Message[] = [];
    const { port, outcomes, lines } = await serveNode({
      deadlineMs: 200,
      emitter: () => new Promise<void>((resolve, reject) => (late = { resolve, reject })),
      deadLetter: async (message) => void deadLetters.push(message),
    });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await connection.answered();
    settle(late!);
    await new Promise((resolve) => setTimeout(resolve, 30));

    expect(connection.statuses()).toEqual([503]);
    expect(outcomes).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(deadLetters).toEqual([]);
  });

  it("gives a live signal to who asks for it [J1]", async () => {
    const contexts: EmitContext[] = [];
    const { port } = await serveNode({ emitter: async (_, context) => void contexts.push(context) });
    await send(port, { body: "1" });

    const { signal } = contexts[0]!;
    expect(signal.aborted).toBe(false);
    expect(contexts[0]!.signal).toBe(signal);
  });
});

describe("a sender that goes away", () => {
  it("is emitted nothing of where it goes before that [T12]", async () => {
    let accept = (): void => {};
    let isAsked = false;
    const { port, messages, outcomes } = await serveNode({
      anonymous: "accept",
      authenticator: () => {
        isAsked = true;
        return new Promise((resolve) => (accept = () => resolve(null)));
      },
    });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await until(() => isAsked);
    connection.cut();
    await until(() => outcomes.length > 0);
    accept();
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["aborted"]);
  });

  it.each<[string, (settle: { resolve: () => void; reject: (error: Error) => void }) => void, string, number]>([
    ["delivered where it confirms", ({ resolve }) => resolve(), "delivered", 200],
    ["failed where it does not", ({ reject }) => reject(new Error("down")), "failed", 503],
  ])("while the emitter is at work lets it finish: %s [J4, T12]", async (_, settle, kind, status) => {
    let late: { resolve: () => void; reject: (error: Error) => void } | undefined;
    let signal: AbortSignal | undefined;
    const { port, node, outcomes } = await serveNode({
      emitter: (__, context) => {
        signal = context.signal;
        return new Promise<void>((resolve, reject) => (late = { resolve, reject }));
      },
    });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await until(() => late !== undefined);
    connection.cut();
    await connection.closed;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([signal!.aborted, outcomes]).toEqual([false, []]);
    settle(late!);
    await until(() => outcomes.length > 0);

    expect(outcomes.map((outcome) => [outcome.kind, outcome.status])).toEqual([[kind, status]]);
    expect(await node.drain()).toEqual({ unanswered: 0 });
  });
});

describe("a PermanentError", () => {
  it("is 422 without deadLetter, so that nobody sends again [J1]", async () => {
    const { port, outcomes, lines } = await serveNode({
      emitter: rejecting(new PermanentError("no such topic: hunter2")),
    });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(422);
    expect(answered.json).toEqual({
      type: "about:blank",
      title: "Unprocessable Entity",
      status: 422,
      detail: "The delivery was understood, and will not be taken.",
      code: "ERR_WEBHOOK_MESSAGE_REFUSED",
    });
    expect(answered.headers).not.toHaveProperty("retry-after");
    expect(outcomes[0]).toMatchObject({ kind: "refused", status: 422, code: "ERR_WEBHOOK_MESSAGE_REFUSED" });
    expect(outcomes[0]!.error).toBeInstanceOf(PermanentError);
    expect(lines[0]).toContain("the node has no deadLetter to keep the message");
  });

  it("hands the same message to deadLetter, whose confirmation acknowledges the delivery [J1, J4]", async () => {
    const dead: Message[] = [];
    const refused: Message[] = [];
    const { port, outcomes } = await serveNode({
      emitter: async (message) => {
        refused.push(message);
        throw new PermanentError("never");
      },
      deadLetter: async (message, { signal }) => {
        expect(signal.aborted).toBe(false);
        dead.push(message);
      },
    });
    const answered = await send(port, { body: '{"a":1}' });

    expect([answered.status, answered.json]).toEqual([200, { trackingId: dead[0]!.trackingId }]);
    expect(dead[0]).toBe(refused[0]);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ kind: "delivered", isDeadLetter: true });
  });

  it.each<[string, Emitter]>([
    [
      "in what it throws",
      () => {
        throw new PermanentError("never");
      },
    ],
    ["by its code alone, as of another copy of the package", rejecting({ code: "ERR_WEBHOOK_PERMANENT" })],
    ["in a class of one's own", rejecting(new (class Poison extends PermanentError {})("never"))],
  ])("is known %s [J1]", async (_, emitter) => {
    const { port, outcomes } = await serveNode({ emitter, deadLetter: async () => {} });

    expect((await send(port, { body: "1" })).status).toBe(200);
    expect(outcomes[0]!.isDeadLetter).toBe(true);
  });

  it.each<[string, Emitter, string]>([
    ["rejects", rejecting(new Error("hunter2")), ""],
    [
      "throws",
      () => {
        throw new Error("hunter2");
      },
      "",
    ],
    ["rejects for good", rejecting(new PermanentError("hunter2")), ""],
    [
      "returns no promise",
      (() => undefined) as unknown as Emitter,
      "The deadLetter returned undefined, and no promise",
    ],
  ])("is 503 where deadLetter %s [J1, T17]", async (_, deadLetter, told) => {
    const { port, outcomes, lines } = await serveNode({ emitter: rejecting(new PermanentError("never")), deadLetter });
    const answered = await send(port, { body: "1" });

    expect([answered.status, answered.json.code, answered.headers["retry-after"]]).toEqual([
      503,
      "ERR_WEBHOOK_EMIT",
      "1",
    ]);
    expect(outcomes.map(({ kind, isDeadLetter }) => [kind, isDeadLetter])).toEqual([["failed", undefined]]);
    expect(lines[0]).toContain(told);
  });

  it("is 503 at the deadline where deadLetter never settles [J1, T17]", async () => {
    const { port } = await serveNode({
      emitter: rejecting(new PermanentError("never")),
      deadLetter: () => new Promise(() => {}),
      deadlineMs: 200,
    });

    expect((await send(port, { body: "1" })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
  });

  it("is the only error that reaches deadLetter [J1]", async () => {
    const dead: Message[] = [];
    const deadLetter: Emitter = async (message) => void dead.push(message);
    for (const emitter of [rejecting(new Error("down")), (() => undefined) as unknown as Emitter]) {
      expect((await send((await serveNode({ emitter, deadLetter })).port, { body: "1" })).status).toBe(503);
    }
    expect((await send((await serveNode({ deadLetter })).port, { body: "1" })).status).toBe(200);
    expect(dead).toEqual([]);
  });

  it("is an error with a code, and may have a cause", () => {
    const cause = new Error("beneath");
    const error = new PermanentError("never", { cause });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "PermanentError", message: "never", code: "ERR_WEBHOOK_PERMANENT", cause });
  });
});

describe("the answer to what is confirmed", () => {
  it.each([200, 201, 202, 204, 205, 299])("has the status that the option says: %d [J1]", async (status) => {
    const { port, outcomes } = await serveNode({ status });
    const answered = await send(port, { body: "1" });
    const hasContent = status !== 204 && status !== 205;

    expect(answered.status).toBe(status);
    expect(answered.json).toEqual(hasContent ? { trackingId: outcomes[0]!.trackingId } : undefined);
    expect(answered.headers["content-type"]).toBe(hasContent ? "application/json" : undefined);
    expect(outcomes.map((outcome) => [outcome.kind, outcome.status])).toEqual([["delivered", status]]);
  });

  it.each<[string, (message: Message) => unknown, string]>([
    ["of the message", (message) => [message.node, message.payload], '["webhook",{"a":1}]'],
    ["text", () => "ok", '"ok"'],
    ["null", () => null, "null"],
    ["false", () => false, "false"],
    ["an object that says its own JSON", () => ({ toJSON: () => 7 }), "7"],
    ["undefined", () => undefined, ""],
    ["a function", () => () => {}, ""],
  ])("has the content that respond says: %s [J1]", async (_, respond, text) => {
    const { port } = await serveNode({ respond });
    const answered = await send(port, { body: '{"a":1}' });

    expect([answered.status, answered.text]).toEqual([200, text]);
    expect(answered.headers["content-type"]).toBe(text === "" ? undefined : "application/json");
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("hunter2");
      },
    ],
    ["returns a bigint", () => 1n],
    ["returns a circle", circle],
    [
      "returns what throws as JSON",
      () => ({
        toJSON: () => {
          throw new Error("hunter2");
        },
      }),
    ],
    ["returns a promise", async () => "ok"],
    [
      "returns a promise that rejects",
      async () => {
        throw new Error("hunter2");
      },
    ],
  ])("is a success all the same where respond %s: the message is safe [J1]", async (_, respond) => {
    const { port, messages, outcomes, lines } = await serveNode({ respond, status: 202 });
    const answered = await send(port, { body: "1" });

    expect([answered.status, answered.json]).toEqual([202, { trackingId: messages[0]!.trackingId }]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered"]);
    expect(lines.filter((line) => line.startsWith("error: webhook webhook: respond has thrown"))).toHaveLength(1);
  });
});

function circle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}

describe("emit, alone", () => {
  it("parses the body itself, and goes on to nothing behind it [J1, J2]", async () => {
    const messages: Message[] = [];
    let isReached = false;
    const { port } = await serve(
      emit({ emitter: async (message) => void messages.push(message) }),
      (_: unknown, response: Response) => {
        isReached = true;
        response.end();
      },
      problem(),
    );

    expect((await send(port, { body: '{"a":1}' })).status).toBe(200);
    expect(messages[0]!.payload).toEqual({ a: 1 });
    expect(isReached).toBe(false);
  });

  it("refuses a body that is no JSON, and emits nothing [J1]", async () => {
    jest.spyOn(console, "warn").mockImplementation(() => {});
    const messages: Message[] = [];
    const { port } = await serve(emit({ emitter: async (message) => void messages.push(message) }), problem());

    expect((await send(port, { body: "{" })).json.code).toBe("ERR_WEBHOOK_JSON");
    expect(messages).toEqual([]);
    jest.restoreAllMocks();
  });
});
