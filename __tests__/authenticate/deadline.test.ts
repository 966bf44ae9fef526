/**
 * An authenticator that takes too long, and a sender that does not wait for it.
 */
import type { Request, Response } from "express";
import { AuthCredentials, authenticate, SimpleUser, type Authenticator } from "express-webhook-node";
import http from "node:http";
import { dial, head } from "../support/dial";
import { send, serve, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const pair = (): [AuthCredentials, SimpleUser] => [new AuthCredentials(), new SimpleUser("shop")];
const hanging: Authenticator = () => new Promise(() => {});
const reasonOf = ({ reason }: AbortSignal): unknown => (reason as { code?: unknown } | undefined)?.code;

describe("an authenticator that hangs", () => {
  it("is 503 at the deadline, with the time to wait [T16]", async () => {
    const { port, messages, outcomes, lines } = await serveNode({ authenticator: hanging, deadlineMs: 200 });
    const startedAt = performance.now();
    const answered = await send(port, { body: "1" });
    const took = performance.now() - startedAt;

    expect(took).toBeGreaterThan(180);
    expect(took).toBeLessThan(1500);
    expect([answered.status, answered.json.code]).toEqual([503, "ERR_WEBHOOK_DEADLINE"]);
    expect(answered.headers["retry-after"]).toBe("1");
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["failed", "ERR_WEBHOOK_DEADLINE"]]);
    expect(lines[0]).toContain("had not settled after deadlineMs (200)");
  });

  it("has its signal fired at the deadline [B2, T16]", async () => {
    let seen: AbortSignal | undefined;
    const { port } = await serveNode({
      deadlineMs: 200,
      authenticator: ({ signal }) => {
        seen = signal;
        return new Promise(() => {});
      },
    });
    await send(port, { body: "1" });

    expect(seen!.aborted).toBe(true);
    expect(reasonOf(seen!)).toBe("ERR_WEBHOOK_DEADLINE");
  });

  it("is 503 by what it throws when its signal fires, too [T16]", async () => {
    const { port, outcomes } = await serveNode({
      deadlineMs: 200,
      authenticator: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("secret: given up")));
        }),
    });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(503);
    expect(answered.text).not.toContain("secret");
    expect(outcomes).toHaveLength(1);
  });

  it("is 503 also where it has read the whole body [C2, T16]", async () => {
    const { port } = await serveNode({
      deadlineMs: 200,
      authenticator: async ({ body }) => {
        await body.bytes();
        return new Promise(() => {});
      },
    });

    expect((await send(port, { body: "1" })).json.code).toBe("ERR_WEBHOOK_DEADLINE");
  });

  it("is 408 while it waits for the body [C2, T13]", async () => {
    const { port } = await serveNode({
      deadlineMs: 200,
      authenticator: async ({ body }) => {
        await body.bytes();
        return pair();
      },
    });
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", "Content-Length: 9"]));
    await connection.answered();

    expect(connection.statuses()).toEqual([408]);
  });

  it.each<
    [string, (settle: { resolve: (value: ReturnType<typeof pair>) => void; reject: (error: Error) => void }) => void]
  >([
    ["accepts", ({ resolve }) => resolve(pair())],
    ["rejects", ({ reject }) => reject(new Error("too late"))],
  ])("changes nothing when it %s later [J2, J4]", async (_, settle) => {
    let late: Parameters<typeof settle>[0] | undefined;
    const { port, messages, outcomes } = await serveNode({
      deadlineMs: 200,
      authenticator: () => new Promise((resolve, reject) => (late = { resolve, reject })),
    });

    expect((await send(port, { body: "1" })).status).toBe(503);
    settle(late!);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(messages).toEqual([]);
    expect(outcomes).toHaveLength(1);
  });

  it("does not hold a request up for longer where its promise settles in time", async () => {
    const { port } = await serveNode({
      deadlineMs: 400,
      authenticator: async () => pair(),
      emitter: () => new Promise((resolve) => setTimeout(resolve, 10)),
    });

    expect((await send(port, { body: "1" })).status).toBe(200);
  });
});

describe("a sender that goes away", () => {
  it("fires the signal, and is emitted nothing of [B2, T12, J4]", async () => {
    let seen: AbortSignal | undefined;
    let accept = (): void => {};
    const { port, messages, outcomes, lines } = await serveNode({
      authenticator: ({ signal }) => {
        seen = signal;
        return new Promise((resolve) => (accept = () => resolve(pair())));
      },
    });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await until(() => seen !== undefined);
    expect(seen!.aborted).toBe(false);
    connection.cut();
    await until(() => seen!.aborted);
    accept();
    await until(() => outcomes.length > 0);

    expect(reasonOf(seen!)).toBe("ERR_WEBHOOK_ABORTED");
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["aborted", "ERR_WEBHOOK_ABORTED"]]);
    expect(lines).toEqual([
      "info: webhook webhook: aborted, 400 ERR_WEBHOOK_ABORTED: The connection was closed before the whole request had arrived.",
    ]);
  });

  it("fires a signal that is asked for after it has gone [B2]", async () => {
    let isCalled = false;
    let signalOf: (() => AbortSignal) | undefined;
    const { port, outcomes } = await serveNode({
      authenticator: (args) => {
        isCalled = true;
        signalOf = () => args.signal;
        return new Promise(() => {});
      },
    });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1"])}1`);
    await until(() => isCalled);
    connection.cut();
    await until(() => outcomes.length > 0);

    expect(signalOf!().aborted).toBe(true);
  });
});

describe("a handler of the app's own that answers first", () => {
  it("ends the waiting, and the connection lives on [J2, J4]", async () => {
    const warn = jest.spyOn(console, "warn").mockImplementation(() => {});
    const error = jest.spyOn(console, "error").mockImplementation(() => {});
    let isLet = false;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const { port } = await serve(
      (_request: Request, response: Response, next: () => void) => {
        setTimeout(() => {
          if (!response.headersSent) response.status(504).end("too slow");
        }, 20);
        next();
      },
      authenticate({ authenticator: () => (isLet ? pair() : new Promise(() => {})) }),
      (_request: Request, response: Response) => void response.end("let in"),
    );
    const sockets = new Set<unknown>();
    agent.on("free", (socket) => sockets.add(socket));

    expect((await send(port, { body: "1", agent })).text).toBe("too slow");
    isLet = true;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await send(port, { body: "1", agent })).text).toBe("let in");
    expect(sockets.size).toBe(1);
    expect(error.mock.calls).toEqual([["webhook webhook: failed, 504"]]);
    expect(warn).not.toHaveBeenCalled();
    agent.destroy();
    jest.restoreAllMocks();
  });
});
