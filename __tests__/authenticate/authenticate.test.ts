/**
 * The step that authenticates, alone and in a node.
 */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { NextFunction, Request, Response } from "express";
import {
  allOf,
  AuthCredentials,
  authenticate,
  BaseUser,
  createWebhookNode,
  HTTPException,
  problem,
  SimpleUser,
  UnauthenticatedUser,
  type Authenticator,
  type AuthenticatorArguments,
  type Body,
  type Source,
} from "express-webhook-node";
import type * as Package from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serve, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const emitter = async (): Promise<void> => {};
const pair = (): [AuthCredentials, SimpleUser] => [new AuthCredentials(["push"]), new SimpleUser("shop")];
const source: Source = { name: "shop", authenticator: pair };

/** 8 MB of zeros in a few octets. */
const BOMB = brotliCompressSync(Buffer.alloc(8_000_000));

/** Tells what the step has put on the request. */
function tellSender(request: Request, response: Response): void {
  const { auth, user } = request as { auth?: AuthCredentials; user?: BaseUser };
  response.json({ scopes: auth?.scopes, user: user?.displayName, isAuthenticated: user?.isAuthenticated });
}

/** A second copy of the package, as two versions of a dependency tree may bring. */
function otherCopy(): typeof Package {
  let copy: typeof Package | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual<typeof Package>("express-webhook-node");
  });
  return copy!;
}

describe.each([
  ["authenticate", (options: object) => authenticate(options)],
  ["createWebhookNode", (options: object) => createWebhookNode({ ...options, emitter })],
])("%s, when it is made", (_, make) => {
  it.each<[string, object]>([
    ["no option", {}],
    ["an authenticator that is undefined", { authenticator: undefined }],
    ["a source that is undefined", { source: undefined }],
    ["anonymous that is undefined", { anonymous: undefined }],
    ['anonymous: "reject" alone', { anonymous: "reject" }],
  ])("is not open by omission: it throws with %s [B1]", (__, options) => {
    expect(() => make(options)).toThrow(
      new TypeError(
        'authenticate: nothing says who may send; pass source or authenticator, or anonymous: "accept" to take any webhook from any sender.',
      ),
    );
  });

  it.each<[string, object]>([
    ["an authenticator", { authenticator: pair }],
    ["a source", { source }],
    ["a source with a check of one's own", { source: allOf(source, pair) }],
    ['anonymous: "accept"', { anonymous: "accept" }],
    ["an authenticator and what becomes of null", { authenticator: pair, anonymous: "accept" }],
    ["a source, and an authenticator that is undefined", { source, authenticator: undefined }],
  ])("takes %s [B1]", (__, options) => {
    expect(() => make(options)).not.toThrow();
  });

  it("takes no source and authenticator together, and says what to do instead [B1]", () => {
    expect(() => make({ source, authenticator: pair })).toThrow(
      new TypeError(
        "source and authenticator exclude each other; to add a check to a source, pass allOf(source, check) as source.",
      ),
    );
  });

  it.each<[string, object, string]>([
    ["the name of an authenticator that is not known", { authenticator: "basic" }, "authenticator: "],
    ["null for an authenticator", { authenticator: null }, "authenticator: null is not a function."],
    ["a list of authenticators", { authenticator: [pair] }, "authenticator: an array is not a function."],
    ["a source as authenticator", { authenticator: source }, "authenticator: an object is not a function."],
    ["the maker of a source", { source: () => source }, "source: a function is not a source;"],
    ["null for a source", { source: null }, "source: null is not a source;"],
    ["the name of a source", { source: "github" }, 'source: "github" is not a source;'],
    ["a source without an authenticator", { source: { name: "shop" } }, "source: an object is not a source;"],
    ["a source without a name", { source: { authenticator: pair } }, "source.name: undefined is not a text"],
    ["a source with an empty name", { source: { ...source, name: "" } }, 'source.name: "" is not a text'],
    [
      "a source whose success is none",
      { source: { ...source, success: { status: 500 } } },
      "source.success.status: 500",
    ],
    ["a source whose success is text", { source: { ...source, success: { status: "2" } } }, "source.success.status: "],
    ["another word for anonymous", { anonymous: "yes" }, 'anonymous: "yes" is neither "accept" nor "reject".'],
    ["true for anonymous", { anonymous: true }, 'anonymous: true is neither "accept" nor "reject".'],
    ["null for anonymous", { anonymous: null }, 'anonymous: null is neither "accept" nor "reject".'],
  ])("refuses %s, naming the word [B1]", (__, options, message) => {
    expect(() => make(options)).toThrow(TypeError);
    expect(() => make(options)).toThrow(message);
  });
});

describe("the name of an authenticator", () => {
  it("is a function of the library's for a node, which tells the names there are, and none for the step alone [B1]", () => {
    expect(() => authenticate({ authenticator: "basic" as never })).toThrow(
      new TypeError('authenticator: "basic" is not a function.'),
    );
    expect(() => createWebhookNode({ authenticator: "basic", emitter })).toThrow(
      /^authenticator: the library has no function "basic"\..*echo\.basic/,
    );
  });
});

describe("the authenticator", () => {
  it("is called with context, request, body and signal, by name [B2]", async () => {
    let seen: AuthenticatorArguments | undefined;
    const authenticator: Authenticator = (args) => {
      seen = args;
      expect(args.request.get("X-Token")).toBe("t");
      expect(args.request.originalUrl).toBe("/?a=1");
      return pair();
    };
    const { port, node } = await serveNode({ authenticator });

    expect((await send(port, { path: "/?a=1", headers: { "x-token": "t" }, body: "1" })).status).toBe(200);
    expect(Object.keys(seen!).sort()).toEqual(["body", "context", "request", "signal"]);
    expect(seen!.context).toBe(node.context);
    expect(seen!.signal).toBeInstanceOf(AbortSignal);
    expect(seen!.signal.aborted).toBe(false);
  });

  it("gets one context for the life of the node, so that what is set on it stays [B2]", async () => {
    const { port, node } = await serveNode({
      name: "orders",
      config: { token: "t" },
      authenticator: ({ context }) => {
        const state = context as { calls?: number };
        state.calls = (state.calls ?? 0) + 1;
        return pair();
      },
    });
    await send(port, { body: "1" });
    await send(port, { body: "1" });

    expect(node.context["calls"]).toBe(2);
    expect(node.context.config).toEqual({ token: "t" });
    expect(node.context.node).toBe("orders");
  });

  it("gets the context that the step alone was given, else an empty one [B2]", async () => {
    const contexts: unknown[] = [];
    const authenticator: Authenticator = ({ context }) => {
      contexts.push(context);
      return pair();
    };
    const context = { token: "t" };
    await send((await serve(authenticate({ authenticator, context }), tellSender)).port);
    await send((await serve(authenticate({ authenticator }), tellSender)).port);

    expect(contexts[0]).toBe(context);
    expect(contexts[1]).toEqual({});
  });

  it.each<[string, Authenticator]>([
    ["a value", () => pair()],
    ["a promise", async () => pair()],
    ["a promise that takes its time", () => new Promise((resolve) => setTimeout(() => resolve(pair()), 10))],
    // oxlint-disable-next-line unicorn/no-thenable -- that any thenable will do is what is tested
    ["any thenable", () => ({ then: (resolve: (value: unknown) => void) => resolve(pair()) }) as never],
  ])("may return %s [B2]", async (_, authenticator) => {
    const { port, messages } = await serveNode({ authenticator });

    expect((await send(port, { body: "{}" })).status).toBe(200);
    expect(messages[0]!.sender).toEqual({ name: "shop", scopes: ["push"] });
  });

  const json = '{ "a":\t"é" }';
  const octets = Buffer.from(json);
  const coded = gzipSync(octets);

  it.each<[string, (body: Body) => Promise<unknown>, unknown]>([
    ["encoded", (body) => body.encoded(), coded],
    ["bytes", (body) => body.bytes(), octets],
    ["text", (body) => body.text(), json],
    ["json", (body) => body.json(), { a: "é" }],
    ["stream", (body) => body.stream().toArray(), [octets]],
  ])("reads the exact body by %s(), and the message still has it [B2]", async (_, read, expected) => {
    const seen: unknown[] = [];
    const authenticator: Authenticator = async ({ body }) => {
      seen.push(await read(body), await read(body));
      return pair();
    };
    const { port, messages } = await serveNode({ authenticator });
    const answered = await send(port, { headers: { "content-encoding": "gzip" }, body: coded });

    expect(answered.status).toBe(200);
    expect(seen).toEqual([expected, expected]);
    expect(messages[0]!.octets).toEqual(octets);
    expect(messages[0]!.payload).toEqual({ a: "é" });
  });

  const refuseByFields: Authenticator = ({ request }) => {
    expect(request.readableDidRead).toBe(false);
    throw new HTTPException(401, { detail: "No token", headers: { "WWW-Authenticate": "Bearer" } });
  };

  it.each([
    ["announced", ["Content-Length: 1000000"]],
    ["begun", ["Content-Length: 1000000"], "{"],
    ["chunked", ["Transfer-Encoding: chunked"]],
    ["coded", ["Transfer-Encoding: chunked", "Content-Encoding: br"]],
  ])("refuses by fields before an octet of the body is read: %s [B2, T16]", async (_, lines, begun = "") => {
    const { port } = await serveNode({ authenticator: refuseByFields });
    const connection = await dial(port);
    const startedAt = performance.now();
    connection.write(head(["Content-Type: application/json", ...lines]) + begun);
    await connection.answered();

    expect(performance.now() - startedAt).toBeLessThan(800);
    expect(connection.statuses()).toEqual([401]);
    expect(connection.text()).toMatch(/^WWW-Authenticate: Bearer\r$/m);
  });

  it.each([
    ["a bomb", "br", BOMB],
    ["octets in no coding", "gzip", Buffer.from("no gzip at all")],
    ["junk behind the coding", "deflate", Buffer.concat([deflateSync("1"), Buffer.from("junk")])],
  ])(
    "refuses by fields and inflates nothing: a failed body would outrank it: %s [B2, T16]",
    async (_, coding, body) => {
      const { port, outcomes } = await serveNode({ authenticator: refuseByFields });
      const answered = await send(port, { headers: { "content-encoding": coding }, body });

      expect([answered.status, answered.json.detail]).toEqual([401, "No token"]);
      expect(outcomes).toHaveLength(1);
    },
  );

  it("gets 413 for a bomb where it needs the body [T16]", async () => {
    const authenticator: Authenticator = async ({ body }) => {
      await body.bytes();
      return pair();
    };
    const { port } = await serveNode({ authenticator });

    expect((await send(port, { headers: { "content-encoding": "br" }, body: BOMB })).status).toBe(413);
  });
});

describe("a pair", () => {
  it("lands on request.auth and request.user as it was returned [B3]", async () => {
    const returned = pair();
    const seen: unknown[] = [];
    const { port } = await serve(
      authenticate({ authenticator: () => returned }),
      (request: { auth?: unknown; user?: unknown }, response: Response) => {
        seen.push(request.auth, request.user);
        response.end();
      },
    );
    await send(port);

    expect(seen[0]).toBe(returned[0]);
    expect(seen[1]).toBe(returned[1]);
  });

  it("may hold a user of a class of one's own [B3]", async () => {
    class Customer extends BaseUser {
      readonly id: number;

      constructor(id: number) {
        super();
        this.id = id;
      }

      override get isAuthenticated(): boolean {
        return this.id > 0;
      }

      override get displayName(): string {
        return `customer ${this.id}`;
      }
    }
    const authenticator: Authenticator = ({ request }) => [
      new AuthCredentials(),
      new Customer(Number(request.get("x-id"))),
    ];
    const { port, messages } = await serveNode({ authenticator });

    expect((await send(port, { headers: { "x-id": "7" }, body: "1" })).status).toBe(200);
    expect((await send(port, { headers: { "x-id": "0" }, body: "1" })).status).toBe(403);
    expect(messages.map(({ sender }) => sender)).toEqual([{ name: "customer 7", scopes: [] }]);
    expect(new Customer(7).identity).toBe("customer 7");
  });

  it("may come from another copy of the package [B3, B6]", async () => {
    const copy = otherCopy();
    expect(copy.SimpleUser).not.toBe(SimpleUser);
    const { port, messages } = await serveNode({
      authenticator: () => [new copy.AuthCredentials(["a"]), new copy.SimpleUser("far")],
    });

    expect((await send(port, { body: "1" })).status).toBe(200);
    expect(messages[0]!.sender).toEqual({ name: "far", scopes: ["a"] });
  });

  it("may be of plain objects, with a user that has no name [B3, B6]", async () => {
    const { port, messages } = await serveNode({ authenticator: () => [{ scopes: [] }, { isAuthenticated: true }] });

    expect((await send(port, { body: "1" })).status).toBe(200);
    expect(messages[0]!.sender).toEqual({ scopes: [] });
    expect(messages[0]!.sender).not.toHaveProperty("name");
  });

  it.each(["accept", "reject"] as const)(
    "with a user that is not authenticated is 403, also where anonymous is %j [B4]",
    async (anonymous) => {
      const authenticator: Authenticator = async () => [new AuthCredentials(["push"]), new UnauthenticatedUser()];
      const { port, messages, outcomes, lines } = await serveNode({ authenticator, anonymous });
      const answered = await send(port, { body: "1" });

      expect(answered.status).toBe(403);
      expect(answered.json).toEqual({
        type: "about:blank",
        title: "Forbidden",
        status: 403,
        detail: "The sender is not allowed to deliver here.",
        code: "ERR_WEBHOOK_FORBIDDEN",
      });
      expect(messages).toEqual([]);
      expect(outcomes.map(({ kind, code }) => [kind, code])).toEqual([["refused", "ERR_WEBHOOK_FORBIDDEN"]]);
      expect(lines[0]).toContain("user is not authenticated");
    },
  );
});

describe("null", () => {
  it.each<[string, { readonly anonymous?: "reject" | undefined }]>([
    ["unless told otherwise", {}],
    ["where anonymous is undefined", { anonymous: undefined }],
    ['where anonymous is "reject"', { anonymous: "reject" }],
  ])("is 403 %s [B5]", async (_, options) => {
    const { port, messages, lines } = await serveNode({ authenticator: async () => null, ...options });
    const answered = await send(port, { body: "1" });

    expect([answered.status, answered.json.code]).toEqual([403, "ERR_WEBHOOK_FORBIDDEN"]);
    expect(answered.text).not.toContain("null");
    expect(messages).toEqual([]);
    expect(lines[0]).toContain('returned null, and anonymous is "reject"');
  });

  it('lets in any sender where anonymous is "accept", and the message tells of none [B5]', async () => {
    const { port, messages } = await serveNode({ authenticator: async () => null, anonymous: "accept" });

    expect((await send(port, { body: "1" })).status).toBe(200);
    expect(messages[0]).not.toHaveProperty("sender");
  });

  it("leaves an UnauthenticatedUser without scopes on the request [B3, B5]", async () => {
    const seen: unknown[] = [];
    const { port } = await serve(
      authenticate({ anonymous: "accept" }),
      (request: Request & { user?: unknown }, response: Response, next: NextFunction) => {
        seen.push(request.user);
        next();
      },
      tellSender,
    );

    expect((await send(port)).json).toEqual({ scopes: [], user: "", isAuthenticated: false });
    expect(seen[0]).toBeInstanceOf(UnauthenticatedUser);
  });
});

describe("any other return value", () => {
  const [credentials, user] = pair();

  const broken: readonly (readonly [name: string, value: unknown, told: string])[] = [
    ["undefined", undefined, "it returned undefined"],
    ["false", false, "it returned false"],
    ["true", true, "it returned true"],
    ['"false"', "false", 'it returned "false"'],
    ["0", 0, "it returned 0"],
    ["NaN", Number.NaN, "it returned NaN"],
    ["a bigint", 1n, "it returned 1"],
    ["a symbol", Symbol("secret-word"), "it returned Symbol(secret-word)"],
    ["a function", () => null, "it returned a function"],
    ["{}", {}, "it returned an object"],
    ["a user alone", user, "it returned an object"],
    ["[]", [], "it returned an array"],
    ["[a]", [credentials], "it returned an array"],
    ["[a, b, c]", [credentials, user, user], "it returned an array"],
    ["the pair turned round", [user, credentials], "the first of the pair, an object, has no list of scopes"],
    ["a pair without credentials", [null, user], "the first of the pair, null, has no list of scopes"],
    ["scopes in one text", [{ scopes: "push" }, user], "the first of the pair, an object, has no list of scopes"],
    ["a pair without a user", [credentials, undefined], "isAuthenticated of the second of the pair is undefined"],
    ["isAuthenticated that is text", [credentials, { isAuthenticated: "true" }], 'of the pair is "true", neither'],
    ["isAuthenticated that is 1", [credentials, { isAuthenticated: 1 }], "of the pair is 1, neither true nor false"],
    ["isAuthenticated that is null", [credentials, { isAuthenticated: null }], "of the pair is null, neither"],
    ["isAuthenticated that is a method", [credentials, { isAuthenticated: () => true }], "is a function, neither"],
  ];

  describe.each(["as it is", "in a promise"])("%s", (form) => {
    it.each(broken)("%s is a broken authenticator: 500, told to the log alone [B6, T16]", async (_, value, told) => {
      const authenticator = (() => (form === "as it is" ? value : Promise.resolve(value))) as Authenticator;
      const { port, messages, outcomes, lines } = await serveNode({ authenticator, anonymous: "accept" });
      const answered = await send(port, { body: "1" });

      expect([answered.status, answered.json.code]).toEqual([500, "ERR_WEBHOOK_AUTHENTICATOR"]);
      expect(answered.text).not.toMatch(/return|pair|scopes|isAuthenticated|secret-word|undefined|array/);
      expect(messages).toEqual([]);
      expect(outcomes.map(({ kind, status }) => [kind, status])).toEqual([["failed", 500]]);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^error: webhook webhook: failed, 500 ERR_WEBHOOK_AUTHENTICATOR/);
      expect(lines[0]).toContain(told);
      expect(lines[0]).toContain("It must return null, or a pair of AuthCredentials and a BaseUser.");
    });
  });

  it("puts nothing on the request, and goes to next with its status [B6]", async () => {
    const seen: unknown[] = [];
    const { port } = await serve(
      authenticate({ authenticator: (() => [credentials, { isAuthenticated: "true" }]) as never }),
      (error: { status: number }, request: object, _response: unknown, next: NextFunction) => {
        seen.push(error.status, "auth" in request, "user" in request);
        next(error);
      },
      problem(),
    );
    jest.spyOn(console, "error").mockImplementation(() => {});

    expect((await send(port)).status).toBe(500);
    expect(seen).toEqual([500, false, false]);
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});
