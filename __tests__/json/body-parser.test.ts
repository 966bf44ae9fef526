/**
 * The cases that body-parser tries its JSON parser with (https://github.com/expressjs/body-parser, test/json.js, MIT): the
 * same octets in, and what a webhook node makes of them. Where that differs, a word says why.
 *
 * Left out is what a node has no counterpart of: `type` as a function, and `X-Error-Property`, by which those tests read a
 * member of the error. A node shows no sender what was thrown.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type http from "node:http";
import zlib from "node:zlib";
import express from "express";
import {
  authenticate,
  createWebhookNode,
  decompress,
  emit,
  jsonPayload,
  problem,
  type Authenticator,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { recordingLogger, send, serve, serveApp, serveNode, type Sent } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { oneNode } from "./one-node";

watchUnhandled();

const hex = (digits: string): Buffer => Buffer.from(digits, "hex");

/** `{"name":"论"}` in the charsets and codings of those tests. */
const NAME = {
  utf8: hex("7b226e616d65223a22e8aeba227d"),
  utf16: hex("feff007b0022006e0061006d00650022003a00228bba0022007d"),
  utf32: hex(
    "fffe00007b000000220000006e000000610000006d00000065000000220000003a00000022000000ba8b0000220000007d000000",
  ),
  gzip: hex("1f8b080000000000000bab56ca4bcc4d55b2527ab16e97522d00515be1cc0e000000"),
  deflate: hex("789cab56ca4bcc4d55b2527ab16e97522d00274505ac"),
  br: hex("8b06807b226e616d65223a22e8aeba227d03"),
  zstd: hex("28b52ffd200e7100007b226e616d65223a22e8aeba227d"),
  damaged: hex("1f8b080000000000000bab56cc4d55b2527ab16e97522d00515be1cc0e000000"),
};
/** `{"str":"..."}` of 1,034 octets, in gzip. */
const OVER_1024 = hex("1f8b080000000000000aab562a2e2952b252d21b05a360148c58a0540b0066f7ce1e0a040000");
/** The same without its last octet. */
const OVER_1024_CUT = OVER_1024.subarray(0, -1);
/** 50,000 spaces and more, in three pieces of gzip. */
const BLANKS = [
  hex("1f8b080000000000000bedc1010d000000c2a0f74f6d0f071400000000000000"),
  hex("0000000000000000000000000000000000000000000000000000000000000000"),
  hex("0000000000000000004f0625b3b71650c30000"),
];

const type = (value: string | undefined, more: http.OutgoingHttpHeaders = {}): http.OutgoingHttpHeaders => ({
  "content-type": value,
  ...more,
});
const JSON_TYPE = "application/json";
const TOBI = { user: "tobi" };
const LUN = { name: "论" };

/** A case: what is sent, the status, and the payload or the code. */
type Row = readonly [name: string, sent: Sent, status: number, expected: unknown];

describe("a node with its defaults", () => {
  const judge = oneNode();

  it.each<Row>([
    ["should parse JSON", { body: '{"user":"tobi"}' }, 200, TOBI],
    // An empty body is no JSON text, and {} would be taken for a message.
    ["should handle Content-Length: 0", { body: "" }, 400, "ERR_WEBHOOK_BODY_EMPTY"],
    ["should handle empty message-body", { body: [] }, 400, "ERR_WEBHOOK_BODY_EMPTY"],
    // Those tests send GET, which is not how a webhook comes.
    ["should handle no message-body", { method: "GET" }, 405, "ERR_WEBHOOK_METHOD"],
    ["should 400 when only whitespace", { body: "  \n" }, 400, "ERR_WEBHOOK_JSON"],
    ["should 400 for bad token", { body: "{:" }, 400, "ERR_WEBHOOK_JSON"],
    ["should 400 for incomplete", { body: '{"user"' }, 400, "ERR_WEBHOOK_JSON"],
    ["should include original body on error object", { body: ' {"user"' }, 400, "ERR_WEBHOOK_JSON"],
    ["should accept content-encoding", { body: NAME.gzip, headers: { "content-encoding": "gzip" } }, 200, LUN],
    // Any JSON value is a message: RFC 8259 section 2.
    ["should 400 on primitives", { body: "true" }, 200, true],
    ["should parse primitives", { body: "true" }, 200, true],
    ["should not parse primitives with leading whitespaces", { body: "    true" }, 200, true],
    ["should allow leading whitespaces in JSON", { body: '   { "user": "tobi" }' }, 200, TOBI],
    [
      "should handle all RFC 7159 whitespace characters before JSON",
      { body: '\u0020\u0009\u000a\u000d{ "user": "tobi" }' },
      200,
      TOBI,
    ],
    [
      "should error on body with only RFC 7159 whitespace characters",
      { body: "\u0020\u0009\u000a\u000d" },
      400,
      "ERR_WEBHOOK_JSON",
    ],
    [
      "should parse JSON for custom type",
      { body: '{"user":"tobi"}', headers: type("application/vnd.api+json") },
      200,
      TOBI,
    ],
    // `application/json` is always taken, and what is no JSON is refused, not passed on unparsed.
    ["should ignore standard type", { body: '{"user":"tobi"}' }, 200, TOBI],
    [
      'should ignore "application/x-json"',
      { body: '{"user":"tobi"}', headers: type("application/x-json") },
      415,
      "ERR_WEBHOOK_CONTENT_TYPE",
    ],
    [
      "should work without content-type",
      { body: '{"user":"tobi"}', headers: type(undefined) },
      415,
      "ERR_WEBHOOK_CONTENT_TYPE",
    ],
    [
      "should persist store when unmatched content-type",
      { body: "buzz", headers: type("application/fizzbuzz") },
      415,
      "ERR_WEBHOOK_CONTENT_TYPE",
    ],
    ["should parse utf-8", { body: NAME.utf8, headers: type("application/json; charset=utf-8") }, 200, LUN],
    ["should parse utf-16", { body: NAME.utf16, headers: type("application/json; charset=utf-16") }, 200, LUN],
    ["should parse utf-32", { body: NAME.utf32, headers: type("application/json; charset=utf-32") }, 200, LUN],
    [
      "should parse when content-length != char length",
      { body: hex("7b2274657374223a22c3a5227d"), headers: type("application/json; charset=utf-8") },
      200,
      { test: "å" },
    ],
    ["should default to utf-8", { body: NAME.utf8 }, 200, LUN],
    [
      "should fail on unknown charset",
      { body: hex("7b226e616d65223a22cec5d4227d"), headers: type("application/json; charset=koi8-r") },
      415,
      "ERR_WEBHOOK_CHARSET",
    ],
    [
      "should 415 on unknown charset prior to verify",
      { body: hex("00000000"), headers: type("application/json; charset=x-bogus") },
      415,
      "ERR_WEBHOOK_CHARSET",
    ],
    ["should parse without encoding", { body: NAME.utf8 }, 200, LUN],
    ["should support identity encoding", { body: NAME.utf8, headers: { "content-encoding": "identity" } }, 200, LUN],
    ["should support gzip encoding", { body: NAME.gzip, headers: { "content-encoding": "gzip" } }, 200, LUN],
    ["should support deflate encoding", { body: NAME.deflate, headers: { "content-encoding": "deflate" } }, 200, LUN],
    ["should support brotli encoding", { body: NAME.br, headers: { "content-encoding": "br" } }, 200, LUN],
    ["should be case-insensitive", { body: NAME.gzip, headers: { "content-encoding": "GZIP" } }, 200, LUN],
    [
      "should 415 on unknown encoding",
      { body: hex("000000000000"), headers: { "content-encoding": "nulls" } },
      415,
      "ERR_WEBHOOK_CONTENT_CODING",
    ],
    [
      "should 400 on malformed encoding",
      { body: NAME.damaged, headers: { "content-encoding": "gzip" } },
      400,
      "ERR_WEBHOOK_BODY_DAMAGED",
    ],
  ])("%s", async (_, sent, status, expected) => {
    const { answered, message } = await judge(sent);
    expect(answered.status).toBe(status);
    if (status === 200) expect(message?.payload).toEqual(expected);
    else expect(answered.json).toMatchObject({ status, code: expected });
    // What was sent is never in an answer.
    expect(answered.text).not.toMatch(/user|tobi|name/);
  });
});

describe("a node with a limit of 1,024 octets", () => {
  const judge = oneNode({ maxBytes: 1024 });
  const dots = ".".repeat(1024);

  it.each<Row>([
    [
      "should 413 when over limit with Content-Length",
      { body: JSON.stringify({ str: dots }) },
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    ],
    [
      "should 413 when over limit with chunked encoding",
      { body: ['{"str":', `"${dots}"}`] },
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    ],
    [
      "should 413 when inflated body over limit",
      { body: OVER_1024, headers: { "content-encoding": "gzip" } },
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    ],
    [
      "should not hang response",
      { body: Array.from({ length: 3 }, () => Buffer.alloc(10_240, ".")) },
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    ],
    [
      "should 413 when inflated value exceeds limit",
      { body: BLANKS, headers: { "content-encoding": "gzip" } },
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    ],
  ])("%s", async (_, sent, status, code) => {
    const { answered } = await judge(sent);
    expect(answered.json).toMatchObject({ status, code });
  });

  it("should not error when inflating", async () => {
    // Too large, and cut short: either is true, and neither is a message.
    for (const body of [OVER_1024_CUT, [OVER_1024_CUT.subarray(0, 20), OVER_1024_CUT.subarray(20)]]) {
      const { answered } = await judge({ body, headers: { "content-encoding": "gzip" } });
      expect([400, 413]).toContain(answered.status);
    }
  });

  it("should accept number of bytes: one less is taken", async () => {
    const { answered } = await judge({ body: JSON.stringify({ str: ".".repeat(1024 - 10) }) });
    expect(answered.status).toBe(200);
  });

  it("should not change when options altered", async () => {
    const options: { maxBytes: number } & WebhookNodeOptions = {
      anonymous: "accept",
      maxBytes: 1024,
      logger: recordingLogger([]),
      emitter: async () => {},
    };
    const node = createWebhookNode(options);
    options.maxBytes = 102_400;
    const { port } = await serve(node);
    expect((await send(port, { body: JSON.stringify({ str: dots }) })).status).toBe(413);
  });
});

describe("a node without content codings (inflate: false)", () => {
  const judge = oneNode({ codings: [] });

  it("should not accept content-encoding", async () => {
    const { answered } = await judge({ body: NAME.gzip, headers: { "content-encoding": "gzip" } });
    expect(answered.json).toMatchObject({ status: 415, code: "ERR_WEBHOOK_CONTENT_CODING" });
    expect(answered.headers["accept-encoding"]).toBe("identity");
  });
});

describe("zstd", () => {
  const headers = { "content-encoding": "zstd" };

  if ("createZstdDecompress" in zlib) {
    it("should support zstandard encoding", async () => {
      const { port, messages } = await serveNode({ codings: ["gzip", "zstd"] });
      expect((await send(port, { body: NAME.zstd, headers })).status).toBe(200);
      expect(messages[0]?.payload).toEqual(LUN);
    });
  } else {
    it("should throw 415 if there's no zstandard support: while the server starts", () => {
      const options: WebhookNodeOptions = { anonymous: "accept", codings: ["zstd"], emitter: async () => {} };
      expect(() => createWebhookNode(options)).toThrow(/"zstd" is not a content coding of this Node/);
    });
  }

  it("is 415 unless it is asked for", async () => {
    const { port } = await serveNode();
    expect((await send(port, { body: NAME.zstd, headers })).status).toBe(415);
  });
});

describe("a media type of the app's own (type)", () => {
  const judge = oneNode({ mediaTypes: ["application/x-json"] });

  it.each(["application/json", "application/vnd.api+json", "application/x-json"])(
    'should parse JSON for "%s"',
    async (value) => {
      const { answered, message } = await judge({ body: '{"user":"tobi"}', headers: type(value) });
      expect(answered.status).toBe(200);
      expect(message?.payload).toEqual(TOBI);
    },
  );
});

describe("the authenticator, in the place of verify", () => {
  const refusing = (refuse: () => unknown): Authenticator => {
    return async ({ body }) => {
      if ((await body.bytes())[0] === 0x5b) throw refuse();
      return [{ scopes: [] }, { isAuthenticated: true }];
    };
  };

  it("should assert value if function", () => {
    expect(() => createWebhookNode({ authenticator: "lol", emitter: async () => {} })).toThrow(TypeError);
  });

  it.each<[string, () => unknown, number, string | undefined]>([
    // An error that says nothing of a status is ours, not the sender's.
    ["should error from verify", () => new Error("no arrays"), 500, undefined],
    ["should allow custom codes", () => Object.assign(new Error("no arrays"), { status: 400 }), 400, undefined],
    [
      "should allow custom codes, and shows what is meant to be shown",
      () => Object.assign(new Error("no arrays"), { status: 403, expose: true }),
      403,
      "no arrays",
    ],
  ])("%s", async (_, refuse, status, detail) => {
    const { port, messages } = await serveNode({ authenticator: refusing(refuse) });
    const answered = await send(port, { body: '["tobi"]' });
    expect(answered.json).toMatchObject({ status });
    expect(answered.json.detail).toBe(detail);
    expect(messages).toEqual([]);
  });

  it("should allow pass-through, and work with different charsets", async () => {
    const { port, messages } = await serveNode({ authenticator: refusing(() => new Error("no arrays")) });
    expect((await send(port, { body: '{"user":"tobi"}' })).status).toBe(200);
    expect((await send(port, { body: NAME.utf16, headers: type("application/json; charset=utf-16") })).status).toBe(
      200,
    );
    expect(messages.map(({ payload }) => payload)).toEqual([TOBI, LUN]);
  });

  it("should 415 on unknown charset prior to verify", async () => {
    const authenticator = jest.fn<never, []>();
    const { port } = await serveNode({ authenticator: authenticator as unknown as Authenticator });
    expect(
      (await send(port, { body: hex("00000000"), headers: type("application/json; charset=x-bogus") })).status,
    ).toBe(415);
    expect(authenticator).not.toHaveBeenCalled();
  });
});

describe("middleware around the parser", () => {
  it("should 400 when invalid content-length", async () => {
    const app = express();
    app.use((request, _response, next) => {
      request.headers["content-length"] = "20";
      next();
    });
    app.use(
      createWebhookNode({ anonymous: "accept", deadlineMs: 500, logger: recordingLogger([]), emitter: async () => {} }),
    );
    const { port } = await serveApp(app);
    expect((await send(port, { body: '{"str":' })).status).toBe(400);
  });

  it("should handle consumed request: 500, for whoever consumed it has the message [T19]", async () => {
    const app = express();
    app.use((request, _response, next) => void request.on("end", () => next()).resume());
    app.use(createWebhookNode({ anonymous: "accept", logger: recordingLogger([]), emitter: async () => {} }));
    const { port } = await serveApp(app);
    expect((await send(port, { body: '{"user":"tobi"}' })).json).toMatchObject({
      status: 500,
      code: "ERR_WEBHOOK_BODY_CONSUMED",
    });
  });

  it("should handle duplicated middleware: the body is read once, and had again", async () => {
    const heard: unknown[] = [];
    const { port } = await serve(
      decompress(),
      authenticate({ anonymous: "accept" }),
      jsonPayload(),
      jsonPayload(),
      emit({ emitter: async (message) => void heard.push(message.payload) }),
      problem(),
    );
    expect((await send(port, { body: '{"user":"tobi"}' })).status).toBe(200);
    expect((await send(port, { body: NAME.gzip, headers: { "content-encoding": "gzip" } })).status).toBe(200);
    expect(heard).toEqual([TOBI, LUN]);
  });
});

describe("async local storage", () => {
  it.each<[string, Sent, number]>([
    ["should persist store", { body: '{"user":"tobi"}' }, 200],
    ["should persist store, in pieces", { body: ['{"user"', ':"tobi"}'] }, 200],
    ["should persist store when unmatched content-type", { body: "buzz", headers: type("application/fizzbuzz") }, 415],
    ["should persist store when inflated", { body: NAME.gzip, headers: { "content-encoding": "gzip" } }, 200],
    [
      "should persist store when inflated, in pieces",
      { body: [NAME.gzip.subarray(0, 9), NAME.gzip.subarray(9)], headers: { "content-encoding": "gzip" } },
      200,
    ],
    ["should persist store when inflate error", { body: NAME.damaged, headers: { "content-encoding": "gzip" } }, 400],
    ["should persist store when parse error", { body: '{"user":' }, 400],
    ["should persist store when limit exceeded", { body: `{"user":"${".".repeat(102_400)}"}` }, 413],
    ["should persist store when limit exceeded, in pieces", { body: ['{"user":"', ".".repeat(102_400)] }, 413],
  ])("%s", async (_, sent, status) => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const node = createWebhookNode({
      anonymous: "accept",
      maxBytes: 100_000,
      logger: recordingLogger([]),
      emitter: async () => void seen.push(storage.getStore()),
    });
    node.events.on("outcome", () => seen.push(storage.getStore()));
    const app = express();
    app.use((_request, _response, next) => storage.run("bar", next));
    app.use(node);
    const { port } = await serveApp(app);
    expect((await send(port, { headers: type(JSON_TYPE), ...sent })).status).toBe(status);
    expect(seen).toEqual(status === 200 ? ["bar", "bar"] : ["bar"]);
  });
});
