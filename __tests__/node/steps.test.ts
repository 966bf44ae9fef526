/**
 * The steps one at a time: in an app of one's own, and on node:http without Express.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type NextFunction, type Request, type Response } from "express";
import {
  admission,
  AuthCredentials,
  authenticate,
  begin,
  contentTypeGate,
  decompress,
  delivery,
  emit,
  framing,
  HTTPException,
  jsonPayload,
  methodGate,
  problem,
  SimpleUser,
  WebhookError,
  type Authenticator,
  type Emitter,
  type ErrorStep,
  type Message,
  type Step,
} from "express-webhook-node";
import { CODE, recordingLogger, send, serve, serveApp } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const authenticator: Authenticator = ({ request }) => {
  if (request.headers["x-token"] !== "t") throw new HTTPException(401, { detail: "Bad token" });
  return [new AuthCredentials(["push"]), new SimpleUser("shop")];
};
const headers = { "x-token": "t" };

beforeEach(() => {
  jest.spyOn(console, "warn").mockImplementation(() => {});
  jest.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe("steps in a route of an app of one's own", () => {
  async function served() {
    const messages: Message[] = [];
    const emitter: Emitter = async (message) => void messages.push(message);
    const app = express();
    app.post(
      "/in",
      contentTypeGate(),
      decompress({ maxBytes: 1_048_576 }),
      authenticate({ authenticator }),
      jsonPayload(),
      emit({ emitter }),
      problem(),
    );
    return { ...(await serveApp(app)), messages };
  }

  it("receive, under the default name [A1, J1]", async () => {
    const { port, messages } = await served();
    const answered = await send(port, { path: "/in", headers, body: '{"a":1}' });

    expect([answered.status, answered.json]).toEqual([200, { trackingId: messages[0]!.trackingId }]);
    expect(messages[0]).toMatchObject({
      node: "webhook",
      payload: { a: 1 },
      sender: { name: "shop", scopes: ["push"] },
    });
  });

  it.each<[string, object, string | Buffer, number, string]>([
    ["another media type", { "content-type": "text/plain" }, "1", 415, "ERR_WEBHOOK_CONTENT_TYPE"],
    ["another coding", { "content-encoding": "compress" }, "1", 415, "ERR_WEBHOOK_CONTENT_CODING"],
    ["a body too large", {}, `"${"a".repeat(1_048_576)}"`, 413, "ERR_WEBHOOK_BODY_TOO_LARGE"],
    ["a wrong token", { "x-token": "u" }, "1", 401, "ERR_WEBHOOK_HTTP_EXCEPTION"],
    ["damaged octets", { "content-encoding": "gzip" }, "junk", 400, "ERR_WEBHOOK_BODY_DAMAGED"],
    ["no JSON", {}, "{", 400, "ERR_WEBHOOK_JSON"],
  ])("refuse %s with a problem document [T15]", async (_, fields, body, status, code) => {
    const { port, messages } = await served();
    const answered = await send(port, { path: "/in", headers: { ...headers, ...fields }, body });

    expect([answered.status, answered.json.code]).toEqual([status, code]);
    expect(answered.headers["content-type"]).toBe("application/problem+json");
    expect(messages).toEqual([]);
  });

  it("leave other methods to Express, without a methodGate [A1]", async () => {
    const { port } = await served();

    expect((await send(port, { path: "/in", method: "GET" })).status).toBe(404);
  });

  it.each(Object.keys(CODE) as (keyof typeof CODE)[])("undo %s [A3]", async (coding) => {
    const { port, messages } = await served();
    const body = CODE[coding]('{"a":1}');

    expect((await send(port, { path: "/in", headers: { ...headers, "content-encoding": coding }, body })).status).toBe(
      200,
    );
    expect(messages[0]!.payload).toEqual({ a: 1 });
  });

  it("hand a refusal to the app's own error handler, with its status and fields, where problem is left out [T15]", async () => {
    const errors: WebhookError[] = [];
    const { port } = await serve(
      methodGate(),
      (error: WebhookError, _request: Request, response: Response, _next: NextFunction) => {
        errors.push(error);
        response.status(error.status).set(error.headers).send("mine");
      },
    );
    const answered = await send(port, { method: "GET" });

    expect([answered.status, answered.text, answered.headers.allow]).toEqual([405, "mine", "POST"]);
    expect(errors[0]).toBeInstanceOf(WebhookError);
    expect(errors[0]).toMatchObject({ code: "ERR_WEBHOOK_METHOD", expose: true, statusCode: 405 });
  });

  it("have handlers of one's own among them, which may answer, refuse and fail [J4]", async () => {
    const messages: Message[] = [];
    const lines: string[] = [];
    const { port } = await serve(
      begin({ name: "own", logger: recordingLogger(lines) }),
      jsonPayload(),
      (request: Request, response: Response, next: NextFunction) => {
        const { how } = request.body as { how?: string };
        if (how === "answer") response.status(208).end();
        else if (how === "fail") next(new Error("hunter2"));
        else if (how === "refuse") next(Object.assign(new Error("No such how"), { status: 422, expose: true }));
        else next();
      },
      emit({ emitter: async (message) => void messages.push(message) }),
      problem(),
    );
    const statuses = [];
    for (const how of ["answer", "fail", "refuse", "emit"]) {
      const answered = await send(port, { body: JSON.stringify({ how }) });
      statuses.push(answered.status);
      expect(answered.text).not.toContain("hunter2");
    }

    expect(statuses).toEqual([208, 500, 422, 200]);
    expect(messages).toHaveLength(1);
    expect(lines).toEqual([
      "debug: webhook own: answered, 208",
      "error: webhook own: failed, 500 ERR_WEBHOOK_INTERNAL | hunter2",
      "warn: webhook own: refused, 422: No such how",
      `debug: webhook own: delivered, 200 ${messages[0]!.trackingId}`,
    ]);
  });

  it("bear their names, so that stack traces read as a list of steps", () => {
    const emitter: Emitter = async () => {};
    const steps = {
      begin: begin(),
      methodGate: methodGate(),
      framing: framing(),
      contentTypeGate: contentTypeGate(),
      decompress: decompress(),
      admission: admission(),
      authenticate: authenticate({ anonymous: "accept" }),
      jsonPayload: jsonPayload(),
      emit: emit({ emitter }),
      problem: problem(),
    };
    for (const [name, step] of Object.entries(steps))
      expect([step.name, step.length]).toEqual([name, name === "problem" ? 4 : 3]);
  });
});

describe("delivery", () => {
  it("tells a handler what the steps have found out [B2, B3, G2]", async () => {
    const seen: Record<string, unknown>[] = [];
    const { port } = await serve(
      authenticate({ authenticator }),
      async (request: Request, response: Response, next: NextFunction) => {
        const before = delivery(request);
        seen.push({
          pair: before.pair?.[1].displayName,
          message: before.message,
          outcome: before.outcome,
          bytes: (await before.body.bytes()).toString(),
          text: await before.body.text(),
          json: await before.body.json(),
          receivedAt: before.receivedAt,
          isAborted: before.signal.aborted,
        });
        response.on("close", () => {
          const after = delivery<number>(request);
          seen.push({ payload: after.message?.payload, kind: after.outcome?.kind, isSame: after === before });
        });
        next();
      },
      emit({ emitter: async () => {} }),
    );
    await send(port, { headers, body: "7" });
    await new Promise((resolve) => setTimeout(resolve, 10));

    expect(seen).toEqual([
      {
        pair: "shop",
        message: undefined,
        outcome: undefined,
        bytes: "7",
        text: "7",
        json: 7,
        receivedAt: expect.any(Date),
        isAborted: false,
      },
      { payload: 7, kind: "delivered", isSame: true },
    ]);
  });

  it("throws on a request that no step has seen, and says what to do", () => {
    expect(() => delivery({} as IncomingMessage)).toThrow(
      new TypeError(
        "delivery(req): no step has run on this request; mount contentTypeGate(), authenticate() or another before the handler.",
      ),
    );
  });

  it("has a body that reads under the defaults without decompress [A3]", async () => {
    const { port } = await serve(
      framing(),
      (request: Request, response: Response, next: NextFunction) => {
        delivery(request)
          .body.json()
          .then((value) => response.json(value), next);
      },
      problem(),
    );

    expect((await send(port, { headers: { "content-encoding": "gzip" }, body: CODE.gzip("[1]") })).json).toEqual([1]);
    expect((await send(port, { headers: { "content-encoding": "gzip" }, body: "junk" })).status).toBe(400);
  });
});

describe("steps on node:http, without Express", () => {
  const servers: http.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Calls steps in turn, and the error step for what goes to `next`. */
  async function serveBare(steps: readonly Step[], onError: ErrorStep = problem()): Promise<number> {
    const server = http.createServer((request: IncomingMessage, response: ServerResponse) => {
      const run = (at: number): void => {
        const step = steps[at];
        if (!step) {
          response.statusCode = 404;
          response.end();
          return;
        }
        step(request, response, (error) => {
          if (error === undefined) run(at + 1);
          else onError(error, request, response, () => response.destroy());
        });
      };
      run(0);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  it("receive, and refuse [A1, B1, J1]", async () => {
    const messages: Message[] = [];
    const port = await serveBare([
      begin({ name: "bare", logger: recordingLogger([]) }),
      methodGate(),
      framing(),
      contentTypeGate(),
      decompress(),
      admission(),
      authenticate({ authenticator }),
      jsonPayload(),
      emit({ emitter: async (message) => void messages.push(message) }),
    ]);

    expect((await send(port, { headers, body: '{"a":1}' })).json).toEqual({ trackingId: expect.any(String) });
    expect((await send(port, { headers: { ...headers, "content-encoding": "br" }, body: CODE.br("2") })).status).toBe(
      200,
    );
    expect((await send(port, { method: "GET" })).headers.allow).toBe("POST");
    expect((await send(port, { headers: { "content-type": "text/plain" }, body: "1" })).status).toBe(415);
    expect((await send(port, { body: "1" })).json.detail).toBe("Bad token");
    expect((await send(port, { headers, body: "{" })).json.code).toBe("ERR_WEBHOOK_JSON");
    expect(messages.map(({ node, payload }) => [node, payload])).toEqual([
      ["bare", { a: 1 }],
      ["bare", 2],
    ]);
  });

  it("go on to whatever comes behind them", async () => {
    const port = await serveBare([contentTypeGate(), authenticate({ anonymous: "accept" })]);

    expect((await send(port, { body: "1" })).status).toBe(404);
  });
});
