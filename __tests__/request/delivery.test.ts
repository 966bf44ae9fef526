import type http from "node:http";
import {
  begin,
  contentTypeGate,
  decompress,
  delivery,
  methodGate,
  problem,
  type Delivery,
  type Step,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, recordingLogger, send, serve, until } from "../support/serve";

quietConsole();

type Handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void) => void;

describe("delivery [B2]", () => {
  it("throws a TypeError that says what to do, where no step has run", async () => {
    const handler: Handler = (req, res) => {
      try {
        delivery(req);
      } catch (error) {
        res.end(`${error instanceof TypeError}: ${(error as Error).message}`);
      }
    };
    const { port } = await serve(handler);
    expect((await send(port, { body: "{}" })).text).toMatch(
      /^true: delivery\(req\): no step has run on this request; mount /,
    );
  });

  it.each<[string, () => Step]>([
    ["begin", begin],
    ["methodGate", methodGate],
    ["contentTypeGate", contentTypeGate],
    ["decompress", decompress],
  ])("has the body where %s alone has run", async (_, make) => {
    const handler: Handler = (req, res, next) => {
      delivery(req)
        .body.json()
        .then((value) => res.end(JSON.stringify(value)), next);
    };
    const { port } = await serve(make(), handler, problem());
    expect(await send(port, { body: '{"a":1}' })).toMatchObject({ status: 200, text: '{"a":1}' });
    expect(await send(port, { body: CODE.br('{"a":1}'), headers: { "content-encoding": "br" } })).toMatchObject({
      text: '{"a":1}',
    });
    expect((await send(port, { body: "{" })).json.code).toBe("ERR_WEBHOOK_JSON");
  });

  it("holds to the default limits without decompress", async () => {
    const handler: Handler = (req, res, next) => {
      delivery(req)
        .body.bytes()
        .then((octets) => res.end(`${octets.length}`), next);
    };
    const { port } = await serve(methodGate(), handler, problem());
    expect((await send(port, { body: Buffer.alloc(1_048_576) })).text).toBe("1048576");
    expect((await send(port, { body: Buffer.alloc(1_048_577) })).status).toBe(413);
    expect((await send(port, { body: "a", headers: { "content-encoding": "nope" } })).status).toBe(415);
  });

  it("is one for all who ask, and knows what has not happened yet", async () => {
    const seen: Delivery[] = [];
    const handler: Handler = (req, res) => {
      seen.push(delivery(req), delivery(req));
      res.end();
    };
    const startedAt = Date.now();
    const { port } = await serve(methodGate(), handler, problem());
    await send(port, { body: "{}" });
    const [first, second] = seen as [Delivery, Delivery];
    expect(first).toBe(second);
    expect(first.body).toBe(second.body);
    expect([first.pair, first.message]).toEqual([undefined, undefined]);
    expect(first.receivedAt.getTime()).toBeGreaterThanOrEqual(startedAt);
    expect(first.receivedAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    [200, "answered"],
    [302, "answered"],
    [404, "refused"],
    [500, "failed"],
  ])("[J4] writes down the outcome of a handler that answers by itself: %d is %s", async (status, kind) => {
    let found: Delivery | undefined;
    const handler: Handler = (req, res) => {
      found = delivery(req);
      expect(found.outcome).toBeUndefined();
      res.statusCode = status;
      res.end();
    };
    const { port } = await serve(begin({ name: "orders", logger: recordingLogger([]) }), handler);
    expect((await send(port, { body: "{}" })).status).toBe(status);
    await until(() => found?.outcome !== undefined);
    expect(found?.outcome).toMatchObject({ kind, status, node: "orders" });
  });

  it("[T12, J4] writes down that the sender has gone", async () => {
    let found: Delivery | undefined;
    const { port } = await serve(begin({ logger: recordingLogger([]) }), (req: http.IncomingMessage) => {
      found = delivery(req);
    });
    const connection = await dial(port);
    connection.write(head(["Content-Length: 10"]));
    await until(() => found !== undefined);
    connection.cut();
    await until(() => found?.outcome !== undefined);
    expect(found?.outcome).toMatchObject({ kind: "aborted", code: "ERR_WEBHOOK_ABORTED" });
  });
});

describe("problem [T15, T21]", () => {
  it.each<[string, unknown, number]>([
    ["an error", new Error("secret"), 500],
    ["a text", "secret", 500],
    ["an error with a status", Object.assign(new Error("secret"), { status: 404 }), 404],
    [
      "an error whose members throw",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("secret");
          },
        },
      ),
      500,
    ],
    [
      "an error whose fields HTTP does not allow",
      Object.assign(new Error("shown"), {
        status: 401,
        expose: true,
        headers: { "X-A": "a\r\nX-B: secret", "Bad Name": "b", "X-C": "\u2713" },
      }),
      401,
    ],
  ])("answers what a handler of the app's own throws, and shows nothing of it: %s", async (_, error, status) => {
    const handler: Handler = (_req, _res, next) => next(error);
    const { port } = await serve(methodGate(), handler, problem());
    const answered = await send(port, { body: "{}" });
    expect([answered.status, answered.headers["content-type"]]).toEqual([status, "application/problem+json"]);
    expect(JSON.stringify([answered.text, answered.headers])).not.toMatch(/secret|stack|\.ts/);
    expect(answered.json).toMatchObject({ type: "about:blank", status });
  });

  it("answers where no step has run at all", async () => {
    const handler: Handler = (_req, _res, next) => next(new Error("secret"));
    const { port } = await serve(handler, problem());
    expect((await send(port, { body: "{}" })).json).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "ERR_WEBHOOK_INTERNAL",
    });
  });

  it("leaves an answer that was begun to be cut off", async () => {
    const handler: Handler = (_req, res, next) => {
      res.write("begun");
      setTimeout(() => next(new Error("secret")), 10);
    };
    const { port } = await serve(methodGate(), handler, problem());
    const connection = await dial(port);
    connection.write(head(["Content-Length: 2"]) + "{}");
    await connection.closed;
    expect(connection.statuses()).toEqual([200]);
    expect(connection.text()).toContain("begun");
    expect(connection.text()).not.toMatch(/secret|0\r\n\r\n$/);
  });

  it.each([204, 304])("sends no content and no length with %d, though the body is still awaited", async (status) => {
    const handler: Handler = (_req, _res, next) => next({ code: "ERR_WEBHOOK_HTTP_EXCEPTION", status, detail: "no" });
    const { port } = await serve(methodGate(), handler, problem());
    for (const octets of ["", "a".repeat(100)]) {
      const connection = await dial(port);
      connection.write(head(["Content-Length: 100"]) + octets);
      await connection.answered();
      await until(() => connection.text().includes("\r\n\r\n"));
      expect(connection.statuses()).toEqual([status]);
      // RFC 9110 section 8.6.
      expect(connection.text()).not.toMatch(/content-length|transfer-encoding/i);
      expect(connection.text()).toMatch(/\r\n\r\n$/);
    }
  });
});
