/** Authenticators that are broken, hang or refuse, and errors of every shape. */
import http from "node:http";
import { brotliCompressSync, constants } from "node:zlib";
import {
  AuthCredentials,
  hmacAuthenticator,
  HTTPException,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { exchange, send, serveNode, until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectNoLeak, expectProblem } from "./refused";
import { rejecter, thenable, thrower, trapped, unreadable } from "./values";

watchUnhandled();

const CREDENTIALS = new AuthCredentials(["push"]);
const USER = new SimpleUser("shop");

/** An authenticator as no type lets it be. */
const returning = (value: unknown): Authenticator => (() => value) as unknown as Authenticator;
const throwing: (value: unknown) => Authenticator = thrower;
const rejecting: (value: unknown) => Authenticator = rejecter;

describe("an authenticator's return value [T16, B6]", () => {
  it.each([
    ["undefined", undefined],
    ['"false"', "false"],
    ['"true"', "true"],
    ["0", 0],
    ["1", 1],
    ["NaN", Number.NaN],
    ["true", true],
    ["false", false],
    ["an object", {}],
    ["a user alone", USER],
    ["credentials alone", CREDENTIALS],
    ["an empty list", []],
    ["a list of one", [CREDENTIALS]],
    ["a list of three", [CREDENTIALS, USER, USER]],
    ["a pair the wrong way round", [USER, CREDENTIALS]],
    ["a pair of nulls", [null, null]],
    ["a pair without a user", [CREDENTIALS, undefined]],
    ['a user authenticated by "false"', [CREDENTIALS, { isAuthenticated: "false" }]],
    ["a user authenticated by 1", [CREDENTIALS, { isAuthenticated: 1 }]],
    ["a user authenticated by a function", [CREDENTIALS, { isAuthenticated: () => false }]],
    ["a user authenticated by a promise", [CREDENTIALS, { isAuthenticated: Promise.resolve(false) }]],
    ["scopes that are no list", [{ scopes: "push" }, USER]],
    ["an object like a pair", { 0: CREDENTIALS, 1: USER, length: 2 }],
    ["a function", () => [CREDENTIALS, USER]],
    ["a symbol", Symbol("pair")],
  ])("is broken if it is %s, at once or promised: 500 without detail, and nothing is emitted", async (_, value) => {
    for (const authenticator of [returning(value), returning(Promise.resolve(value))]) {
      const { port, messages, outcomes, lines } = await serveNode({ authenticator });
      const answered = await send(port, { body: "{}" });
      expectProblem(answered, 500, "ERR_WEBHOOK_AUTHENTICATOR");
      expect(lines).toEqual([expect.stringContaining("The authenticator is broken")]);
      expect({ emitted: messages.length, kinds: outcomes.map(({ kind }) => kind) }).toEqual({
        emitted: 0,
        kinds: ["failed"],
      });
    }
  });

  it.each([
    ["null", null],
    ["an unauthenticated user", [CREDENTIALS, new UnauthenticatedUser()]],
    ["a user that says false", [CREDENTIALS, { isAuthenticated: false }]],
  ])("refuses if it is %s: 403 [B4, B5]", async (_, value) => {
    for (const authenticator of [returning(value), returning(Promise.resolve(value))]) {
      const { port, messages } = await serveNode({ authenticator });
      expectProblem(await send(port, { body: "{}" }), 403, "ERR_WEBHOOK_FORBIDDEN");
      expect(messages).toEqual([]);
    }
  });

  it("is broken if its members throw when they are read: 500", async () => {
    const user = {
      get isAuthenticated(): boolean {
        throw new Error("secret of the getter");
      },
    };
    const { port, messages } = await serveNode({ authenticator: returning([CREDENTIALS, user]) });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 500, "ERR_WEBHOOK_INTERNAL");
    expect(answered.text).not.toContain("secret");
    expect(messages).toEqual([]);
  });

  it("may be a promise of a kind of its own, which settles twice, or throws in `then`", async () => {
    const twice = thenable({
      value: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
        resolve([CREDENTIALS, USER]);
        reject(new Error("after all"));
        resolve(null);
      },
    });
    const broken = thenable({ value: thrower(new Error("secret of then")) });
    const trap = thenable({ get: thrower(new Error("secret of the getter")) });
    const first = await serveNode({ authenticator: returning(twice) });
    expect((await send(first.port, { body: "{}" })).status).toBe(200);
    for (const value of [broken, trap]) {
      const { port, messages } = await serveNode({ authenticator: returning(value) });
      const answered = await send(port, { body: "{}" });
      expectProblem(answered, 500, "ERR_WEBHOOK_INTERNAL");
      expect(answered.text).not.toContain("secret");
      expect(messages).toEqual([]);
    }
  });
});

describe("an authenticator that hangs [T16]", () => {
  it("is 503 at the deadline, with the signal fired, and its late acceptance emits nothing and answers nothing [J2]", async () => {
    let accept: (pair: unknown) => void = () => {};
    let signal: AbortSignal | undefined;
    const { port, messages, outcomes } = await serveNode({
      deadlineMs: 200,
      authenticator: (args) => {
        signal = args.signal;
        return new Promise((resolve) => (accept = resolve as typeof accept));
      },
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const answered = await send(port, { body: "{}", agent });
    expectProblem(answered, 503, "ERR_WEBHOOK_DEADLINE");
    expect(Number(answered.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(signal?.aborted).toBe(true);

    accept([CREDENTIALS, USER]);
    // On the same connection a second answer to the first request would be read as the answer to the second one.
    expect((await send(port, { method: "GET", agent })).status).toBe(405);
    agent.destroy();
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failed", "ERR_WEBHOOK_DEADLINE"],
      ["refused", "ERR_WEBHOOK_METHOD"],
    ]);
  });

  it("leaves no rejection behind when it fails after the deadline", async () => {
    let fail: (error: unknown) => void = () => {};
    const { port } = await serveNode({
      deadlineMs: 100,
      authenticator: () => new Promise((_, reject) => (fail = reject)),
    });
    expectProblem(await send(port, { body: "{}" }), 503, "ERR_WEBHOOK_DEADLINE");
    fail(new Error("too late"));
  });

  it("and holds the body's promise has it settled all the same [T22]", async () => {
    const settled: string[] = [];
    const { port } = await serveNode({
      deadlineMs: 200,
      authenticator: async ({ body }) => {
        const tell = (name: string) => (error: Error) => void settled.push(`${name}: ${error.message}`);
        void body.bytes().catch(tell("bytes"));
        void body.encoded().catch(tell("encoded"));
        void body.text().catch(tell("text"));
        void body.json().catch(tell("json"));
        body.stream().on("error", tell("stream"));
        return new Promise<never>(() => {});
      },
    });
    const client = await dial(port);
    client.write(head(["Content-Type: application/json", "Content-Length: 9"]) + "[1");
    await client.answered();
    expect(client.statuses()).toEqual([408]);
    await until(() => settled.length === 5);
    expect(settled.toSorted()).toEqual(
      ["bytes", "encoded", "json", "stream", "text"].map((name) => `${name}: The body had not arrived after 200 ms.`),
    );
  });
});

describe("an authenticator that throws [T16, C1, C2]", () => {
  // A framework that takes a falsy value for "no error", or the words "route" and "router" for a way out, must not be
  // handed one: the steps behind the authenticator would run.
  it.each([
    ["null", null],
    ["undefined", undefined],
    ["0", 0],
    ["false", false],
    ["an empty string", ""],
    ["NaN", Number.NaN],
    ["a big zero", 0n],
    ['"route"', "route"],
    ['"router"', "router"],
    ["a string", "secret of the string"],
    ["a number", 401],
    ["a symbol", Symbol("secret of the symbol")],
    ["a function", () => "secret of the function"],
    ["a list", ["secret of the list"]],
    ["an object without a prototype", Object.create(null)],
    ["an error", new Error("secret of the error at /home/node/app.js:1:2")],
    ["an error with a status of success", Object.assign(new Error("secret"), { status: 200 })],
    [
      "an error with a status of 302",
      Object.assign(new Error("secret"), { statusCode: 302, headers: { a: "secret" } }),
    ],
    ["an error with a status that is no status", Object.assign(new Error("secret"), { status: "404" })],
    ["an error with a status of 999", Object.assign(new Error("secret"), { status: 999, expose: true })],
    ["an error with a status of NaN", Object.assign(new Error("secret"), { status: Number.NaN, expose: true })],
    ["an AggregateError", new AggregateError([new Error("secret")], "secret")],
    ["an AbortError", new DOMException("secret", "AbortError")],
  ])("%s is 500 and shows nothing, whether it throws or rejects", async (_, value) => {
    for (const authenticator of [throwing(value), rejecting(value)]) {
      const { port, messages, outcomes } = await serveNode({ authenticator });
      const answered = await send(port, { body: "{}" });
      expectProblem(answered, 500, "ERR_WEBHOOK_INTERNAL");
      expect(answered.text + JSON.stringify(answered.headers)).not.toContain("secret");
      expect({ emitted: messages.length, kinds: outcomes.map(({ kind }) => kind) }).toEqual({
        emitted: 0,
        kinds: ["failed"],
      });
    }
  });

  it("an HTTP client's error keeps its status, and shows nothing of the upstream's answer", async () => {
    const clientError = Object.assign(new Error("Request failed with status code 404"), {
      isAxiosError: true,
      code: "ERR_BAD_REQUEST",
      status: 404,
      headers: { "set-cookie": "session=secret", "x-upstream": "secret" },
      config: { url: "http://vault.internal/secret", headers: { Authorization: "Bearer secret" } },
      response: { status: 404, headers: { "set-cookie": "session=secret" }, data: { token: "secret" } },
    });
    const { port, messages } = await serveNode({ authenticator: rejecting(clientError) });
    const answered = await send(port, { body: "{}" });
    expectProblem(answered, 404);
    expect(answered.json).not.toHaveProperty("detail");
    expect(answered.text + JSON.stringify(answered.headers)).not.toMatch(/secret|upstream|vault/i);
    expect(messages).toEqual([]);
  });

  it.each<[string, object]>([
    [
      "getters that throw",
      unreadable(["code", "status", "statusCode", "message", "headers", "detail", "expose", "stack", "name", "cause"]),
    ],
    ["a proxy whose every trap throws", trapped()],
    [
      "a status that changes with each look",
      Object.defineProperty({}, "status", { get: () => 400 + Math.floor(Math.random() * 100_000) }),
    ],
    [
      "fields that throw when they are read",
      { status: 400, expose: true, message: "shown", headers: unreadable(["x-field"]) },
    ],
    [
      "fields that are no text",
      { status: 400, expose: true, message: "shown", headers: { "x-field": Object.create(null) } },
    ],
    ["a detail that is no JSON", { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 400, detail: { big: 1n } }],
    ["a status beyond all, by an exception's shape", { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 1e9, detail: "x" }],
    ["a status of 100, by an exception's shape", { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 100, detail: "x" }],
    ["no status, by an exception's shape", { code: "ERR_WEBHOOK_HTTP_EXCEPTION", detail: "x" }],
  ])("an error with %s is a problem document all the same, and the node goes on", async (_, error) => {
    for (const authenticator of [throwing(error), rejecting(error)]) {
      const { port, messages, outcomes } = await serveNode({ authenticator });
      const answered = await send(port, { body: "{}" });
      expect(answered.status).toBeGreaterThanOrEqual(400);
      expect(answered.headers["content-type"]).toBe("application/problem+json");
      expect(answered.json.status).toBe(answered.status);
      expectNoLeak(answered.text);
      expect(answered.text).not.toContain("secret");
      expect({ emitted: messages.length, outcomes: outcomes.length }).toEqual({ emitted: 0, outcomes: 1 });
    }
  });
});

describe("header fields of an exception [T15, C1]", () => {
  const INJECTIONS = [
    ["a value with a line break", { "X-Reason": "no\r\nSet-Cookie: admin=1" }],
    ["a value with a line feed", { "X-Reason": "no\nSet-Cookie: admin=1" }],
    ["a value that begins the content", { "X-Reason": "no\r\n\r\n<script>admin</script>" }],
    ["a value with NUL", { "X-Reason": "no\0Set-Cookie: admin=1" }],
    ["a value beyond Latin-1", { "X-Reason": "\u010D\u010ASet-Cookie: admin=1" }],
    ["a name with a line break", { "X-Reason\r\nSet-Cookie": "admin=1" }],
    ["a name with a colon", { "Set-Cookie: admin=1; x": "y" }],
    ["an empty name", { "": "admin=1" }],
  ] as const;

  it.each(INJECTIONS)("with %s: the exception cannot be made, so the answer is 500", async (_, headers) => {
    const { port, messages } = await serveNode({
      authenticator: () => {
        throw new HTTPException(401, { headers });
      },
    });
    const { text } = await exchange(
      port,
      `${head(["Content-Type: application/json", "Content-Length: 2", "Connection: close"])}{}`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 500 /);
    expect(text).not.toMatch(/admin/);
    expect(messages).toEqual([]);
  });

  it.each(INJECTIONS)("with %s, by an exception's shape alone: the field is left out", async (_, headers) => {
    const shapes = [
      { code: "ERR_WEBHOOK_HTTP_EXCEPTION", status: 401, detail: "no", headers: { ...headers, "X-Good": "yes" } },
      { status: 401, expose: true, message: "no", headers: { ...headers, "X-Good": "yes" } },
    ];
    for (const shape of shapes) {
      const { port, messages } = await serveNode({ authenticator: throwing(shape) });
      const { text, statuses } = await exchange(
        port,
        `${head(["Content-Type: application/json", "Content-Length: 2", "Connection: close"])}{}`,
      );
      expect(statuses).toEqual([401]);
      expect(text).toMatch(/^X-Good: yes\r$/m);
      expect(text).not.toMatch(/admin/);
      expect(messages).toEqual([]);
    }
  });

  it("that frame a message are not taken over: the answer's length is its own", async () => {
    const upstream = {
      "Content-Length": "3",
      "Transfer-Encoding": "chunked",
      "Content-Type": "text/html",
      "X-Good": "yes",
    };
    const { port } = await serveNode({
      authenticator: throwing(new HTTPException(403, { detail: "no", headers: upstream })),
    });
    const request = `${head(["Content-Type: application/json", "Content-Length: 2"])}{}`;
    const client = await dial(port);
    client.write(request);
    await client.answered(1);
    client.write(request);
    await client.answered(2);
    const answers = client.text().split(/(?=HTTP\/1\.1 )/);
    expect(answers).toHaveLength(2);
    for (const answer of answers) {
      const [fields = "", content = ""] = answer.split("\r\n\r\n");
      expect(fields).toMatch(/^X-Good: yes$/m);
      expect(fields).not.toMatch(/transfer-encoding/i);
      expect(fields.match(/^content-length: (\d+)$/im)?.[1]).toBe(String(content.length));
      expect(fields).toMatch(/^content-type: application\/problem\+json$/im);
      expect(JSON.parse(content)).toMatchObject({ status: 403, detail: "no" });
    }
  });
});

describe("refusals and the body [T16]", () => {
  const zeros = Buffer.alloc(8 * 1_048_576, 0x20);
  const bomb = brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });

  it("a sender refused by its fields alone is 401 with its challenge, and nothing of its body is inflated", async () => {
    const { port } = await serveNode({
      authenticator: ({ request }) => {
        if (request.get("authorization") !== "Bearer good") {
          throw new HTTPException(401, { detail: "Bad token", headers: { "WWW-Authenticate": "Bearer" } });
        }
        return [CREDENTIALS, USER];
      },
    });
    // A body that is no Brotli at all would be 400, and a bomb 413, if anybody had looked at it.
    for (const body of [Buffer.from("no brotli"), bomb, [bomb.subarray(0, 4), bomb.subarray(4)]]) {
      const answered = await send(port, { headers: { "content-encoding": "br" }, body });
      expectProblem(answered, 401, "ERR_WEBHOOK_HTTP_EXCEPTION");
      expect(answered.headers["www-authenticate"]).toBe("Bearer");
    }
  });

  it("a malformed signature is 401 before the body is looked at; one that needs the body finds the bomb: 413", async () => {
    const { port } = await serveNode({
      authenticator: hmacAuthenticator({ header: "X-Signature", secrets: ["a secret"] }),
    });
    const headers = { "content-encoding": "br" };
    expectProblem(await send(port, { headers, body: bomb }), 401, "ERR_WEBHOOK_HTTP_EXCEPTION");
    const signed = { ...headers, "x-signature": "0".repeat(64) };
    expectProblem(await send(port, { headers: signed, body: bomb }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    expectProblem(await send(port, { headers: signed, body: [bomb] }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
  });

  it.each<[string, Authenticator]>([
    ["accepts all the same", ({ body }) => body.bytes().then(null, () => [CREDENTIALS, USER] as const) as never],
    ["returns null", ({ body }) => body.bytes().then(null, () => null) as never],
    ["throws something else", ({ body }) => body.bytes().then(null, () => Promise.reject(new Error("other"))) as never],
    [
      "throws an exception of success",
      ({ body }) => body.bytes().then(null, () => Promise.reject(new HTTPException(204))) as never,
    ],
  ])("a body that failed keeps its own status where the authenticator %s [C2]", async (_, authenticator) => {
    const { port, messages, outcomes } = await serveNode({ authenticator });
    for (const body of [bomb, [bomb]]) {
      const answered = await send(port, { headers: { "content-encoding": "br" }, body });
      expectProblem(answered, 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    }
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused", "refused"]);
  });

  it("an authenticator that reads the request itself is told so: 500, and a log line [T19]", async () => {
    const { port, messages, lines } = await serveNode({
      authenticator: async ({ request }) => {
        for await (const _chunk of request);
        return [CREDENTIALS, USER];
      },
    });
    expectProblem(await send(port, { body: "{}" }), 500, "ERR_WEBHOOK_BODY_CONSUMED");
    expect(messages).toEqual([]);
    expect(lines).toEqual([expect.stringContaining("Mount the node above the parser")]);
  });

  it("an authenticator that destroys the request, or the stream that it was given, leaves nothing open [T22]", async () => {
    const cut = await serveNode({
      authenticator: async ({ request, body }) => {
        const reading = body.bytes();
        request.destroy();
        await reading;
        return [CREDENTIALS, USER];
      },
    });
    const client = await dial(cut.port);
    client.write(head(["Content-Type: application/json", "Content-Length: 9"]) + "[1");
    await client.closed;
    await until(() => cut.outcomes.length === 1);
    expect(cut.outcomes[0]?.kind).toBe("aborted");
    expect(cut.messages).toEqual([]);

    const stream = await serveNode({
      authenticator: async ({ body }) => {
        body.stream().destroy();
        await body.bytes();
        return [CREDENTIALS, USER];
      },
    });
    expect((await send(stream.port, { body: ["[1", ",2]"] })).status).toBe(200);
  });
});
