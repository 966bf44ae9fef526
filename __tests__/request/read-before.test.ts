import { deflateSync, gzipSync } from "node:zlib";
import type http from "node:http";
import express, { type RequestHandler } from "express";
import {
  createWebhookNode,
  decompress,
  delivery,
  keepRawBody,
  problem,
  type Body,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { quietConsole } from "../support/quiet";
import { recordingLogger, send, serve, serveApp, type Served } from "../support/serve";

quietConsole();

type Below = Served & { readonly messages: Message[]; readonly lines: string[] };

/** Serves a node below a parser of the app's own. */
async function serveBelow(parser: RequestHandler, options: Partial<WebhookNodeOptions> = {}): Promise<Below> {
  const messages: Message[] = [];
  const lines: string[] = [];
  const app = express();
  app.use(parser);
  app.use(
    "/",
    createWebhookNode({
      anonymous: "accept",
      logger: recordingLogger(lines),
      emitter: async (message) => void messages.push(message),
      ...options,
    }),
  );
  return { ...(await serveApp(app)), messages, lines };
}

const keeping = (): RequestHandler => express.json({ verify: keepRawBody, limit: "5mb" });
const raw = (): RequestHandler => express.raw({ type: "*/*", limit: "5mb" });
const KEEPERS: [string, () => RequestHandler][] = [
  ["express.json() with keepRawBody", keeping],
  ["express.raw()", raw],
];
const text = '{ "spaced" : [1, 2.0] }\n';

describe.each(KEEPERS)("octets kept by %s [T19]", (_, parser) => {
  it("are the body, octet by octet", async () => {
    const { port, messages } = await serveBelow(parser());
    for (const body of [text, [text.slice(0, 7), text.slice(7)]]) {
      expect((await send(port, { body })).status).toBe(200);
      expect(messages.pop()).toMatchObject({ body: text, octets: Buffer.from(text), payload: { spaced: [1, 2] } });
    }
  });

  it.each(["gzip", "deflate"])("are not inflated again, where the parser has undone %s", async (coding) => {
    const { port, messages } = await serveBelow(parser());
    const body = coding === "gzip" ? gzipSync(text) : deflateSync(text);
    expect((await send(port, { body, headers: { "content-encoding": coding } })).status).toBe(200);
    expect(messages[0]?.octets.toString()).toBe(text);
  });

  it("are held to the node's limits", async () => {
    const { port, messages } = await serveBelow(parser(), { maxBytes: 100, maxDepth: 3 });
    const spaced = (bytes: number): string => "[]".padEnd(bytes);
    expect((await send(port, { body: spaced(100) })).status).toBe(200);
    for (const body of [spaced(101), [spaced(101)]]) {
      expect((await send(port, { body })).json.code).toBe("ERR_WEBHOOK_BODY_TOO_LARGE");
    }
    for (const [bytes, status] of [
      [100, 200],
      [101, 413],
    ] as const) {
      const body = gzipSync(spaced(bytes));
      expect((await send(port, { body, headers: { "content-encoding": "gzip" } })).status).toBe(status);
    }
    expect((await send(port, { body: "[[[[]]]]" })).json.code).toBe("ERR_WEBHOOK_JSON_DEPTH");
    expect(messages.length).toBe(2);
  });

  it("are held to the node's room", async () => {
    const { port } = await serveBelow(parser(), { maxInFlightBytes: 30 });
    expect((await send(port, { body: [text] })).status).toBe(200);
    expect((await send(port, { body: [text, " ".repeat(30)] })).json.code).toBe("ERR_WEBHOOK_BUSY");
  });

  it("are what every form of the body gives", async () => {
    const forms = async (body: Body): Promise<string[]> => {
      const streamed = await body.stream().toArray();
      return [
        String(await body.encoded()),
        String(await body.bytes()),
        await body.text(),
        Buffer.concat(streamed as Buffer[]).toString(),
      ];
    };
    const handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void): void => {
      forms(delivery(req).body).then((all) => res.end(JSON.stringify(all)), next);
    };
    const { port } = await serve(parser(), decompress(), handler, problem());
    expect((await send(port, { body: text })).json).toEqual([text, text, text, text]);
  });
});

describe("octets kept by a verify hook of the app's own [T19]", () => {
  it("are used where they are a Buffer in rawBody, whatever else is in body", async () => {
    const verify = (req: http.IncomingMessage, _res: unknown, octets: Buffer): void =>
      void Object.assign(req, { rawBody: octets });
    const { port, messages } = await serveBelow(express.json({ verify }));
    expect((await send(port, { body: text })).status).toBe(200);
    expect(messages[0]?.octets.toString()).toBe(text);
  });

  it("are not used where they are text: their octets are not known", async () => {
    const verify = (req: http.IncomingMessage, _res: unknown, octets: Buffer): void =>
      void Object.assign(req, { rawBody: octets.toString() });
    const { port, messages } = await serveBelow(express.json({ verify }));
    expect((await send(port, { body: text })).json.code).toBe("ERR_WEBHOOK_BODY_CONSUMED");
    expect(messages).toEqual([]);
  });
});

describe("a body that a parser has eaten [T19]", () => {
  it.each<[string, () => RequestHandler, string]>([
    ["express.json()", () => express.json(), "application/json"],
    ["express.text()", () => express.text({ type: "*/*" }), "application/json"],
    [
      "a middleware that reads the request",
      () => (req, _res, next) => void req.resume().on("end", () => next()),
      "application/json",
    ],
    [
      "a middleware that has begun to read",
      () => (req, _res, next) => void req.once("data", () => next()),
      "application/json",
    ],
  ])("by %s is 500, with one line in the log that says what mends it", async (_, parser, type) => {
    const { port, messages, lines } = await serveBelow(parser());
    for (const body of [text, [text.slice(0, 7), text.slice(7)]]) {
      lines.length = 0;
      const answered = await send(port, { body, headers: { "content-type": type } });
      expect(answered.status).toBe(500);
      expect(answered.text).not.toMatch(/keepRawBody|parser|stack/);
      expect(lines).toEqual([
        expect.stringMatching(/^error: .*ERR_WEBHOOK_BODY_CONSUMED.*express\.json\(\{ verify: keepRawBody \}\)/),
      ]);
    }
    expect(messages).toEqual([]);
  });

  it("by a parser that only undoes codings is 500 too, and never inflated by guess", async () => {
    const { port, messages } = await serveBelow(express.json());
    expect((await send(port, { body: gzipSync(text), headers: { "content-encoding": "gzip" } })).status).toBe(500);
    expect(messages).toEqual([]);
  });

  it("is no matter where the parser left it alone, for its media type", async () => {
    const { port, messages } = await serveBelow(express.json());
    expect((await send(port, { body: text, headers: { "content-type": "application/cloudevents+json" } })).status).toBe(
      200,
    );
    expect(messages[0]?.body).toBe(text);
  });

  it("is no matter where there was none to eat", async () => {
    const { port } = await serveBelow(express.json());
    expect((await send(port)).json.code).toBe("ERR_WEBHOOK_BODY_EMPTY");
  });
});
