/** Bodies that a parser above the node has read. */
import { createHmac } from "node:crypto";
import express, { type RequestHandler } from "express";
import {
  createWebhookNode,
  hmacAuthenticator,
  keepRawBody,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { CODE, recordingLogger, send, serveApp, type Served } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectProblem } from "./refused";

watchUnhandled();

type Below = Served & { readonly messages: Message[]; readonly lines: string[] };

/** A node below other middleware. */
async function below(above: RequestHandler, options: Partial<WebhookNodeOptions> = {}): Promise<Below> {
  const messages: Message[] = [];
  const lines: string[] = [];
  const isSecured = options.authenticator !== undefined;
  const app = express();
  app.use(above);
  app.use(
    createWebhookNode({
      ...(!isSecured && { anonymous: "accept" as const }),
      logger: recordingLogger(lines),
      emitter: async (message) => void messages.push(message),
      ...options,
    }),
  );
  return { ...(await serveApp(app)), messages, lines };
}

const signed = { authenticator: hmacAuthenticator({ header: "X-Signature", secrets: ["secret"] }) };
const signature = (octets: string | Buffer): string => createHmac("sha256", "secret").update(octets).digest("hex");

describe("a body that a parser has eaten [T19]", () => {
  it.each<[string, RequestHandler]>([
    ["express.json()", express.json()],
    ["express.text()", express.text({ type: "*/*" })],
    ["express.urlencoded()", express.urlencoded({ type: "*/*", extended: false })],
    ["a handler that drops it", (request, _response, next) => void request.resume().on("end", () => next())],
    [
      "a handler that has read a part of it",
      (request, _response, next) => {
        request.once("data", () => {
          request.pause();
          next();
        });
      },
    ],
  ])("by %s is 500 with a log line that mends it, and never a 2xx", async (_, above) => {
    for (const options of [{}, signed]) {
      const { port, messages, lines } = await below(above, options);
      for (const body of ['{"a":1}', ['{"a"', ":1}"]]) {
        const answered = await send(port, { body, headers: { "x-signature": signature('{"a":1}') } });
        expectProblem(answered, 500, "ERR_WEBHOOK_BODY_CONSUMED");
      }
      expect(messages).toEqual([]);
      expect(lines).toEqual([
        expect.stringMatching(/^error: .*keepRawBody/),
        expect.stringMatching(/^error: .*Mount the node above/),
      ]);
    }
  });

  it("is not asked for where the sender is refused by its fields: 415, 405", async () => {
    const { port } = await below(express.json({ type: "*/*" }));
    expectProblem(
      await send(port, { headers: { "content-type": "text/html" }, body: "{}" }),
      415,
      "ERR_WEBHOOK_CONTENT_TYPE",
    );
    expectProblem(await send(port, { method: "PUT", body: "{}" }), 405, "ERR_WEBHOOK_METHOD");
  });
});

describe("octets that a parser has kept [T19]", () => {
  it.each<[string, RequestHandler]>([
    ["express.raw()", express.raw({ type: "*/*" })],
    ["express.json() with keepRawBody", express.json({ verify: keepRawBody })],
  ])("by %s are used, and never inflated again", async (_, above) => {
    const { port, messages } = await below(above, signed);
    const body = '{ "a" : 1 }';
    // The parsers of Express 4 know no others.
    for (const coding of ["identity", "gzip", "deflate"] as const) {
      const headers = { "content-encoding": coding, "x-signature": signature(body) };
      const octets = CODE[coding](body);
      for (const sent of [octets, [octets.subarray(0, 5), octets.subarray(5)]]) {
        expect((await send(port, { body: sent, headers })).status).toBe(200);
        expect(messages.pop()).toMatchObject({ body, payload: { a: 1 } });
      }
      expectProblem(
        await send(port, { body: octets, headers: { ...headers, "x-signature": signature("{}") } }),
        401,
        "ERR_WEBHOOK_HTTP_EXCEPTION",
      );
    }
    expect(messages).toEqual([]);
  });

  it("are bounded by the node's limits too: octets, depth, text, JSON", async () => {
    const { port, messages } = await below(express.raw({ type: "*/*", limit: "2mb" }), { maxBytes: 1000, maxDepth: 5 });
    const headers = { "content-encoding": "gzip" };
    const post = (body: string | Buffer): ReturnType<typeof send> => send(port, { body: CODE.gzip(body), headers });
    expectProblem(await post(`"${"x".repeat(1000)}"`), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    expectProblem(await post("[[[[[[1]]]]]]"), 400, "ERR_WEBHOOK_JSON_DEPTH");
    expectProblem(await post(Buffer.from([0x22, 0xff, 0x22])), 400, "ERR_WEBHOOK_TEXT");
    expectProblem(await post("{"), 400, "ERR_WEBHOOK_JSON");
    expectProblem(await post(""), 400, "ERR_WEBHOOK_BODY_EMPTY");
    expect(messages).toEqual([]);
  });

  it("that are gzip themselves are what the sender's body holds, and no JSON", async () => {
    const { port, messages } = await below(express.raw({ type: "*/*" }));
    const twice = CODE.gzip(CODE.gzip("{}"));
    const answered = await send(port, { body: twice, headers: { "content-encoding": "gzip" } });
    expect(answered.status).toBe(400);
    expect(messages).toEqual([]);
  });
});
