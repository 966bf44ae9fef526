/**
 * What an authenticator may throw, and what the sender gets of it.
 */
import type { NextFunction, Request, Response } from "express";
import { AuthCredentials, authenticate, HTTPException, problem, SimpleUser, WebhookError } from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serve, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

/** An authenticator that throws, or rejects. */
function throwing(error: unknown, how: "throws" | "rejects" = "throws"): () => never {
  const throws = (): never => {
    throw error;
  };
  return how === "throws" ? throws : ((async () => throws()) as unknown as () => never);
}

/** An error as http-errors and many clients make it. */
function errorWith(members: object, message = "secret words"): Error {
  return Object.assign(new Error(message), members);
}

const problemOf = (status: number, title: string, members: object = {}): object => ({
  type: "about:blank",
  title,
  status,
  ...members,
});
const CODE = "ERR_WEBHOOK_HTTP_EXCEPTION";

describe.each(["throws", "rejects"] as const)("an authenticator that %s an HTTPException", (how) => {
  it.each<[string, HTTPException, string, string, string | undefined, unknown]>([
    ["200", new HTTPException(200), "answered", "", undefined, undefined],
    [
      "200 with a detail",
      new HTTPException(200, { detail: { challenge: "abc" } }),
      "answered",
      '{"detail":{"challenge":"abc"}}',
      "application/json",
      { detail: { challenge: "abc" } },
    ],
    ["204", new HTTPException(204), "answered", "", undefined, undefined],
    ["204 with a detail", new HTTPException(204, { detail: { a: 1 } }), "answered", "", undefined, undefined],
    ["205 with a detail", new HTTPException(205, { detail: "a" }), "answered", "", undefined, undefined],
    [
      "301",
      new HTTPException(301, { headers: { Location: "/elsewhere" } }),
      "answered",
      "",
      undefined,
      { location: "/elsewhere" },
    ],
    ["304 with a detail", new HTTPException(304, { detail: ["a"] }), "answered", "", undefined, undefined],
  ])("of %s answers so, with nothing to emit [C1]", async (_, exception, kind, text, type, extra) => {
    const { port, messages, outcomes, lines } = await serveNode({ authenticator: throwing(exception, how) });
    const answered = await send(port, { body: "1" });

    expect([answered.status, answered.text]).toEqual([exception.status, text]);
    expect(answered.headers["content-type"]).toBe(type);
    if (exception.status === 301) expect(answered.headers).toMatchObject(extra as object);
    expect(messages).toEqual([]);
    expect(outcomes.map((outcome) => [outcome.kind, outcome.status])).toEqual([[kind, exception.status]]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^debug: /);
  });

  it.each<[string, HTTPException, string, object, object]>([
    [
      "401 with a challenge",
      new HTTPException(401, { detail: "Bad token", headers: { "WWW-Authenticate": 'Bearer realm="a"' } }),
      "refused",
      problemOf(401, "Unauthorized", { detail: "Bad token", code: CODE }),
      { "www-authenticate": 'Bearer realm="a"', "content-type": "application/problem+json" },
    ],
    [
      "403 without a detail",
      new HTTPException(403),
      "refused",
      problemOf(403, "Forbidden", { code: CODE }),
      { "content-type": "application/problem+json" },
    ],
    [
      "418 with an object for detail",
      new HTTPException(418, { detail: { pot: "tea" } }),
      "refused",
      { detail: { pot: "tea" } },
      { "content-type": "application/json" },
    ],
    ["409 with null for detail", new HTTPException(409, { detail: null }), "refused", { detail: null }, {}],
    [
      "499, which has no title",
      new HTTPException(499, { detail: "gone" }),
      "refused",
      problemOf(499, "Error", { detail: "gone", code: CODE }),
      {},
    ],
    [
      "503 with the time to wait",
      new HTTPException(503, { headers: { "retry-after": "60" } }),
      "failed",
      problemOf(503, "Service Unavailable", { code: CODE }),
      { "retry-after": "60" },
    ],
    [
      "503 without it",
      new HTTPException(503),
      "failed",
      problemOf(503, "Service Unavailable", { code: CODE }),
      { "retry-after": "1" },
    ],
    ["599", new HTTPException(599), "failed", problemOf(599, "Error", { code: CODE }), {}],
  ])("of %s is answered so, and nothing is emitted [C1]", async (_, exception, kind, json, headers) => {
    const { port, messages, outcomes } = await serveNode({ authenticator: throwing(exception, how) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(exception.status);
    expect(answered.json).toEqual(json);
    expect(answered.headers).toMatchObject(headers);
    expect(messages).toEqual([]);
    expect(outcomes.map((outcome) => [outcome.kind, outcome.status, outcome.code])).toEqual([
      [kind, exception.status, CODE],
    ]);
  });

  it.each([200, 204, 301, 304, 399])("of %d never goes to next [C1]", async (status) => {
    const calls: string[] = [];
    const { port } = await serve(
      authenticate({ authenticator: throwing(new HTTPException(status), how) }),
      (_request: Request, response: Response) => {
        calls.push("handler");
        response.end();
      },
      (_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        calls.push("error handler");
        response.end();
      },
    );

    expect((await send(port)).status).toBe(status);
    expect(calls).toEqual([]);
  });

  it.each([400, 401, 500])("of %d goes to next as it is, for the app's own error handler [C1]", async (status) => {
    const exception = new HTTPException(status, { detail: "a", headers: { "X-A": "b" } });
    const seen: unknown[] = [];
    jest.spyOn(console, "error").mockImplementation(() => {});
    jest.spyOn(console, "warn").mockImplementation(() => {});
    const { port } = await serve(
      authenticate({ authenticator: throwing(exception, how) }),
      (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        seen.push(error);
        response.status(418).end();
      },
    );

    expect((await send(port)).status).toBe(418);
    expect(seen).toEqual([exception]);
  });
});

describe("an HTTPException", () => {
  it.each([204, 304])(
    "of %d has no content and no length, also while the body is still awaited [C1]",
    async (status) => {
      const { port } = await serveNode({ authenticator: throwing(new HTTPException(status, { detail: "a" })) });
      const connection = await dial(port);
      connection.write(head(["Content-Type: application/json", "Content-Length: 10"]));
      await connection.answered();
      connection.write("1234567890");
      await connection.closed;

      // RFC 9110 section 8.6: no Content-Length in a 204, and in a 304 only that of the 200 which it stands for.
      expect(connection.text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n$`));
      expect(connection.text()).not.toMatch(/^(?:content-length|content-type|transfer-encoding):/im);
    },
  );

  it("of 205 has no content [C1]", async () => {
    const { port } = await serveNode({ authenticator: throwing(new HTTPException(205, { detail: "a" })) });
    const connection = await dial(port);
    connection.write(`${head(["Content-Type: application/json", "Content-Length: 1", "Connection: close"])}1`);
    await connection.closed;

    expect(connection.text()).toMatch(/^HTTP\/1\.1 205 [^]*\r\n\r\n(?:0\r\n\r\n)?$/);
  });

  it("may come from another copy of the package [C1]", async () => {
    let Other: typeof HTTPException | undefined;
    jest.isolateModules(() => {
      Other = jest.requireActual<{ HTTPException: typeof HTTPException }>("express-webhook-node").HTTPException;
    });
    expect(Other).not.toBe(HTTPException);
    const { port } = await serveNode({ authenticator: throwing(new Other!(204)) });

    expect((await send(port, { body: "1" })).status).toBe(204);
  });

  it("keeps the connection for the next request [C1]", async () => {
    const { port } = await serveNode({ authenticator: throwing(new HTTPException(401)) });
    const connection = await dial(port);
    const request = `${head(["Content-Type: application/json", "Content-Length: 1"])}1`;
    connection.write(request + request);
    await connection.answered(2);

    expect(connection.statuses()).toEqual([401, 401]);
  });

  it("outranks what was read of the body, where the body has not failed [C1]", async () => {
    const { port, messages } = await serveNode({
      authenticator: async ({ body }) => {
        await body.json();
        throw new HTTPException(202, { detail: await body.text() });
      },
    });

    expect((await send(port, { body: '"a"' })).status).toBe(202);
    expect(messages).toEqual([]);
  });
});

describe("an error with a status of its own", () => {
  it.each<[string, object, number, object]>([
    [
      "status and expose: true",
      { status: 404, expose: true },
      404,
      problemOf(404, "Not Found", { detail: "secret words" }),
    ],
    ["status and expose: false", { status: 404, expose: false }, 404, problemOf(404, "Not Found")],
    ["status alone", { status: 404 }, 404, problemOf(404, "Not Found")],
    ["expose that is no boolean", { status: 404, expose: "true" }, 404, problemOf(404, "Not Found")],
    ["statusCode alone", { statusCode: 429 }, 429, problemOf(429, "Too Many Requests")],
    ["a status of 400", { status: 400 }, 400, problemOf(400, "Bad Request")],
    ["a status of 500", { status: 500 }, 500, problemOf(500, "Internal Server Error")],
    ["a status of 599 shown", { status: 599, expose: true }, 599, problemOf(599, "Error", { detail: "secret words" })],
  ])("keeps it, and shows its message only if it is meant to: %s [C1]", async (_, members, status, json) => {
    const { port, messages, outcomes } = await serveNode({ authenticator: throwing(errorWith(members)) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(status);
    expect(answered.json).toEqual(json);
    expect(messages).toEqual([]);
    expect(outcomes).toHaveLength(1);
  });

  it("gives its header fields to the sender only if it is shown [C1]", async () => {
    const members = { status: 429, headers: { "Retry-After": "7", "X-Upstream": "secret" } };
    const hidden = await serveNode({ authenticator: throwing(errorWith(members)) });
    const shown = await serveNode({ authenticator: throwing(errorWith({ ...members, expose: true })) });

    expect((await send(hidden.port, { body: "1" })).headers).not.toHaveProperty("x-upstream");
    expect((await send(shown.port, { body: "1" })).headers["retry-after"]).toBe("7");
  });

  it.each<[string, Record<string, unknown>]>([
    ["a line feed in a value", { "X-A": "a\nSet-Cookie: b" }],
    ["a name that is none", { "X A": "a" }],
    ["an empty name", { "": "a" }],
  ])("cannot break the answer by its header fields: %s [C1, T15]", async (_, headers) => {
    const error = errorWith({ status: 422, expose: true, headers });
    const { port, outcomes } = await serveNode({ authenticator: throwing(error) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(422);
    expect(answered.json).toEqual(problemOf(422, "Unprocessable Entity", { detail: "secret words" }));
    expect(answered.headers).not.toHaveProperty("set-cookie");
    expect(outcomes).toHaveLength(1);
  });

  it.each<[string, object]>([
    ["200", { status: 200 }],
    ["399", { status: 399 }],
    ["600", { status: 600 }],
    ["404 as text", { status: "404" }],
    ["404.5", { status: 404.5 }],
    ["NaN", { status: Number.NaN }],
    ["Infinity", { statusCode: Number.POSITIVE_INFINITY }],
  ])("is 500 where the status is %s [C1, C2]", async (_, members) => {
    const { port } = await serveNode({ authenticator: throwing(errorWith({ ...members, expose: true })) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(500);
    expect(answered.json).toEqual(problemOf(500, "Internal Server Error", { code: "ERR_WEBHOOK_INTERNAL" }));
  });
});

describe.each(["throws", "rejects"] as const)("an authenticator that %s anything else", (how) => {
  it.each<[string, unknown]>([
    ["an error", new Error("password=hunter2 in /srv/app/secrets.js")],
    ["an error of a class", new RangeError("password=hunter2")],
    ["an error with a cause", new Error("outer", { cause: new Error("password=hunter2") })],
    ["an error with the code of a system call", Object.assign(new Error("hunter2"), { code: "ECONNREFUSED" })],
    [
      "an error with one of our codes, but not its status",
      Object.assign(new Error("hunter2"), { code: "ERR_WEBHOOK_METHOD" }),
    ],
    ["text", "hunter2"],
    ["a number that is a status", 404],
    ["null", null],
    ["undefined", undefined],
    ["an empty object", {}],
    ["an object with a message", { message: "hunter2", stack: "hunter2" }],
    ["a symbol", Symbol("hunter2")],
    ["a list", ["hunter2"]],
    ["a function", function hunter2() {}],
  ])("is 500 and shows nothing of it: %s [C2, T15]", async (_, thrown) => {
    const { port, messages, outcomes, lines } = await serveNode({ authenticator: throwing(thrown, how) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(500);
    expect(answered.json).toEqual(problemOf(500, "Internal Server Error", { code: "ERR_WEBHOOK_INTERNAL" }));
    expect(JSON.stringify(answered.headers)).not.toContain("hunter2");
    expect(messages).toEqual([]);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ kind: "failed", status: 500, code: "ERR_WEBHOOK_INTERNAL" });
    expect(outcomes[0]!.error).toBe(thrown);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^error: /);
  });

  it("hands the error to the log [C2]", async () => {
    const logged: unknown[][] = [];
    const nothing = (): void => {};
    const logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (...args: unknown[]) => void logged.push(args),
    };
    const error = new Error("the database is down");
    const { port } = await serveNode({ authenticator: throwing(error, how), logger });
    await send(port, { body: "1" });

    expect(logged).toEqual([["webhook webhook: failed, 500 ERR_WEBHOOK_INTERNAL", error]]);
  });

  it.each([
    [
      "an error that throws when it is looked at",
      Object.defineProperty({}, "status", {
        get: () => {
          throw new Error("hunter2");
        },
      }),
    ],
    ["a revoked proxy", revoked()],
  ])("survives %s [C2]", async (_, thrown) => {
    const { port, outcomes } = await serveNode({ authenticator: throwing(thrown, how) });
    const answered = await send(port, { body: "1" });

    expect(answered.status).toBe(500);
    expect(answered.text).not.toContain("hunter2");
    expect(outcomes).toHaveLength(1);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("a failure of the body", () => {
  const pair = (): [AuthCredentials, SimpleUser] => [new AuthCredentials(), new SimpleUser("shop")];
  type Read = () => Promise<unknown>;

  const authenticators: readonly (readonly [string, (read: Read) => unknown])[] = [
    [
      "let it through",
      async (read) => {
        await read();
        return pair();
      },
    ],
    [
      "swallowed it and returned a pair",
      async (read) => {
        await read().catch(() => {});
        return pair();
      },
    ],
    [
      "swallowed it and returned null",
      async (read) => {
        await read().catch(() => {});
        return null;
      },
    ],
    [
      "swallowed it and returned nothing",
      async (read) => {
        await read().catch(() => {});
      },
    ],
    [
      "swallowed it and refused the user",
      async (read) => {
        await read().catch(() => {});
        return [new AuthCredentials(), { isAuthenticated: false }];
      },
    ],
    [
      "wrapped it in an error",
      (read) =>
        read().then(pair, (cause: unknown) => {
          throw new Error("wrapped", { cause });
        }),
    ],
    [
      "made it an error with a status",
      (read) =>
        read().then(pair, () => {
          throw errorWith({ status: 418, expose: true });
        }),
    ],
    [
      "made it an exception",
      (read) =>
        read().then(pair, () => {
          throw new HTTPException(401, { detail: "wrong" });
        }),
    ],
    [
      "made it an answer",
      (read) =>
        read().then(pair, () => {
          throw new HTTPException(200);
        }),
    ],
    [
      "read it twice",
      async (read) => {
        await read().catch(() => {});
        await read().catch(() => {});
        return pair();
      },
    ],
    [
      "did not wait for it",
      (read) => {
        void read();
        return pair();
      },
    ],
    [
      "did not wait for it and accepted nobody",
      async (read) => {
        read().catch(() => {});
        return null;
      },
    ],
  ];

  const failures: readonly (readonly [string, number, string, readonly string[], string | Buffer])[] = [
    ["damaged", 400, "ERR_WEBHOOK_BODY_DAMAGED", ["Content-Encoding: gzip", "Content-Length: 4"], "junk"],
    [
      "too large",
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
      ["Transfer-Encoding: chunked"],
      `2000\r\n${"1".repeat(0x2000)}\r\n0\r\n\r\n`,
    ],
    ["late", 408, "ERR_WEBHOOK_BODY_TIMEOUT", ["Content-Length: 10"], "12345"],
  ];

  describe.each(failures)("that is %s", (_, status, code, lines, octets) => {
    it.each(authenticators)(`keeps its ${status}, though the authenticator %s [C2]`, async (__, authenticate) => {
      const { port, messages, outcomes } = await serveNode({
        anonymous: "accept",
        maxBytes: 4096,
        deadlineMs: 200,
        authenticator: (({ body }: { body: { bytes: Read } }) => authenticate(() => body.bytes())) as never,
      });
      const connection = await dial(port);
      connection.write(head(["Content-Type: application/json", "Connection: close", ...lines]));
      connection.write(octets);
      await connection.closed;

      expect(connection.statuses()).toEqual([status]);
      expect(connection.text()).toContain(`"code":"${code}"`);
      expect(messages).toEqual([]);
      expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["refused", code]]);
    });
  });

  it("is no matter where the authenticator did not ask for the body and refuses [C2]", async () => {
    const { port } = await serveNode({ authenticator: throwing(new HTTPException(403)) });

    expect((await send(port, { headers: { "content-encoding": "gzip" }, body: "junk" })).status).toBe(403);
  });
});

describe("problem, behind authenticate alone", () => {
  it("answers what goes to next [C1, C2]", async () => {
    jest.spyOn(console, "error").mockImplementation(() => {});
    const { port } = await serve(authenticate({ authenticator: throwing(new Error("hunter2")) }), problem());
    const answered = await send(port);

    expect([answered.status, answered.json.code]).toEqual([500, "ERR_WEBHOOK_INTERNAL"]);
  });

  it("answers a WebhookError that an authenticator throws with its code and fields [C1]", async () => {
    const error = new WebhookError("ERR_WEBHOOK_KEYS", "Later.", { headers: { "Retry-After": "9" }, cause: "hunter2" });
    const { port, lines } = await serveNode({ authenticator: throwing(error) });
    const answered = await send(port, { body: "1" });

    expect([answered.status, answered.json.code, answered.headers["retry-after"]]).toEqual([
      503,
      "ERR_WEBHOOK_KEYS",
      "9",
    ]);
    expect(answered.text).not.toContain("hunter2");
    expect(lines[0]).toMatch(/^error: .*ERR_WEBHOOK_KEYS: Later\./);
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});
