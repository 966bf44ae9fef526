/** What a refusal says, when it comes, and that nobody else writes it. */
import http from "node:http";
import express from "express";
import { createWebhookNode, HTTPException, PermanentError, type WebhookNodeOptions } from "express-webhook-node";
import { STATUS } from "express-webhook-node/errors";
import { dial, head } from "../support/dial";
import {
  CODE,
  exchange,
  recordingLogger,
  send,
  serveApp,
  serveNode,
  until,
  type Answered,
  type Sent,
} from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { expectNoLeak, expectProblem } from "./refused";

watchUnhandled();

const JSON_TYPE = "Content-Type: application/json";

describe("a Content-Length beyond the limit [T5]", () => {
  it.each([
    ["identity", 1_048_577],
    ["gzip", 1_048_576 + 65_537],
    ["identity", Number.MAX_SAFE_INTEGER],
  ])("(%s, %i octets) is 413 before an octet of the body has come", async (coding, length) => {
    const { port, messages } = await serveNode();
    const client = await dial(port);
    client.write(head([JSON_TYPE, `Content-Encoding: ${coding}`, `Content-Length: ${length}`]));
    await client.answered();
    expect(client.statuses()).toEqual([413]);
    expect(client.text()).toMatch(/^Connection: close\r$/m);
    expect(client.text()).toContain("ERR_WEBHOOK_BODY_TOO_LARGE");
    expect(messages).toEqual([]);
  });

  it("ends the connection of a sender that sends nothing more, after a second", async () => {
    const { port } = await serveNode();
    const startedAt = performance.now();
    const client = await dial(port);
    client.write(head([JSON_TYPE, "Content-Length: 2000000"]));
    await client.closed;
    expect(client.statuses()).toEqual([413]);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it("is 413 for a sender that writes it all before it reads, and the answer reaches it", async () => {
    const { port } = await serveNode();
    const body = Buffer.alloc(3 * 1_048_576, 0x20);
    for (const sent of [body, [body.subarray(0, 1_000_000), body.subarray(1_000_000)]] satisfies Sent["body"][]) {
      expectProblem(await send(port, { body: sent }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    }
  });

  it("ends the connection of a sender that never stops, after a little", async () => {
    const { port, outcomes } = await serveNode();
    const client = await dial(port);
    client.write(head([JSON_TYPE, "Transfer-Encoding: chunked"]));
    const piece = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, 0x20), Buffer.from("\r\n")]);
    let written = 0;
    const pump = (): void => {
      while (!client.socket.destroyed) {
        written += piece.length;
        if (!client.socket.write(piece)) {
          client.socket.once("drain", pump);
          return;
        }
      }
    };
    pump();
    await client.closed;
    expect(client.statuses()).toEqual([413]);
    // 1 MiB for the limit, 4 MiB that are drained, and what the buffers of two sockets hold.
    expect(written).toBeLessThan(48 * 1_048_576);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused"]);
  });
});

describe("Expect: 100-continue [T5]", () => {
  const expecting = (lines: readonly string[]): string =>
    head([JSON_TYPE, "Expect: 100-continue", "Connection: close", ...lines]);

  it("gets the refusal instead of 100 where the app hears checkContinue", async () => {
    const { port, server, app, messages } = await serveNode({
      authenticator: ({ request }) => {
        if (request.get("x-token") !== "good") throw new HTTPException(401, { detail: "Bad token" });
        return [{ scopes: [] }, { isAuthenticated: true }];
      },
    });
    server.on("checkContinue", app);
    for (const [lines, status] of [
      [["Content-Length: 9999999", "X-Token: good"], 413],
      [["Content-Length: 2"], 401],
      [["Content-Length: 2", "X-Token: good", "Content-Encoding: nope"], 415],
    ] as const) {
      const refused = await dial(port);
      refused.write(expecting(lines));
      await refused.answered();
      expect(refused.statuses()).toEqual([status]);
      expect(refused.text()).toMatch(/"status":\d{3}/);
      refused.cut();
    }
    expect(messages).toEqual([]);

    const client = await dial(port);
    client.write(expecting(["Content-Length: 2", "X-Token: good"]));
    await client.answered(1);
    expect(client.statuses()).toEqual([100]);
    client.write("{}");
    await client.answered(2);
    expect(client.statuses()).toEqual([100, 200]);
    expect(messages).toHaveLength(1);
  });

  it("is asked for by Node where the app does not hear it: 100, then one answer", async () => {
    const { port } = await serveNode();
    const client = await dial(port);
    client.write(expecting(["Content-Length: 2"]));
    await client.answered(1);
    client.write("{}");
    await client.answered(2);
    expect(client.statuses()).toEqual([100, 200]);
  });
});

describe("what a refusal says [T15]", () => {
  const MARKUP = "<script>alert(1)</script>";
  const boom = (): never => {
    throw new Error(`${MARKUP} at /home/node/app.js:1:2`);
  };
  const never = new Promise<never>(() => {});
  const json = { "content-type": "application/json" };

  /** A request that is refused with each code, and the options of the node that refuses it. */
  const CASES: readonly [keyof typeof STATUS, Partial<WebhookNodeOptions>, Sent | string][] = [
    ["ERR_WEBHOOK_FIELD", {}, head([JSON_TYPE, `Host: ${MARKUP}`, "Content-Length: 2", "Connection: close"]) + "{}"],
    [
      "ERR_WEBHOOK_TRANSFER_CODING",
      {},
      `${head([JSON_TYPE, `Transfer-Encoding: ${MARKUP}, chunked`, "Connection: close"])}0\r\n\r\n`,
    ],
    ["ERR_WEBHOOK_METHOD", {}, { method: "DELETE" }],
    ["ERR_WEBHOOK_CONTENT_TYPE", {}, { headers: { "content-type": `text/html; ${MARKUP}` }, body: MARKUP }],
    ["ERR_WEBHOOK_CHARSET", {}, { headers: { "content-type": `application/json; charset="${MARKUP}"` }, body: "{}" }],
    ["ERR_WEBHOOK_CONTENT_CODING", {}, { headers: { "content-encoding": MARKUP }, body: "{}" }],
    ["ERR_WEBHOOK_BODY_TOO_LARGE", { maxBytes: 10 }, { body: `"${MARKUP}"` }],
    ["ERR_WEBHOOK_WINDOW_TOO_LARGE", {}, { headers: { "content-encoding": "br" }, body: Buffer.from([0x0f, 0]) }],
    ["ERR_WEBHOOK_BUSY", { maxInFlightBytes: 10 }, { body: `"${MARKUP}"` }],
    ["ERR_WEBHOOK_BODY_TIMEOUT", { deadlineMs: 100 }, head([JSON_TYPE, "Content-Length: 99"]) + MARKUP],
    ["ERR_WEBHOOK_BODY_DAMAGED", {}, { headers: { "content-encoding": "gzip" }, body: MARKUP }],
    ["ERR_WEBHOOK_BODY_EMPTY", {}, { body: "" }],
    ["ERR_WEBHOOK_TEXT", {}, { body: Buffer.from([0x22, 0xff, 0x22]) }],
    ["ERR_WEBHOOK_JSON", {}, { body: MARKUP }],
    ["ERR_WEBHOOK_JSON", {}, { body: `{"${MARKUP}": ${MARKUP}}` }],
    ["ERR_WEBHOOK_JSON_DEPTH", { maxDepth: 3 }, { body: `[[[["${MARKUP}"]]]]` }],
    ["ERR_WEBHOOK_FORBIDDEN", { authenticator: () => null }, { body: `"${MARKUP}"` }],
    ["ERR_WEBHOOK_AUTHENTICATOR", { authenticator: (() => MARKUP) as never }, { body: "{}" }],
    ["ERR_WEBHOOK_INTERNAL", { authenticator: boom }, { body: "{}" }],
    [
      "ERR_WEBHOOK_BODY_CONSUMED",
      {
        authenticator: async ({ request, body }) => {
          for await (const _chunk of request);
          await body.json();
          return null;
        },
      },
      { body: `"${MARKUP}"` },
    ],
    ["ERR_WEBHOOK_EMIT", { emitter: boom }, { body: "{}" }],
    ["ERR_WEBHOOK_MESSAGE_REFUSED", { emitter: () => Promise.reject(new PermanentError(MARKUP)) }, { body: "{}" }],
    ["ERR_WEBHOOK_DEADLINE", { emitter: () => never, deadlineMs: 100 }, { body: "{}" }],
  ];

  it.each(CASES)("%s has its reason, and no stack, markup or path", async (code, options, sent) => {
    const { port, messages } = await serveNode(options);
    const path = `/?${encodeURIComponent("x")}=${MARKUP.replaceAll(/[<>]/g, "'")}`;
    const answered =
      typeof sent === "string"
        ? await parsed(port, sent)
        : await send(port, { ...sent, path, headers: { ...json, ...sent.headers } });
    expectProblem(answered, STATUS[code], code);
    expect(answered.text).not.toMatch(/script|alert/);
    expect(messages).toEqual([]);
  });

  it("names the character where JSON went wrong, and not what stood there", async () => {
    const { port } = await serveNode();
    const { json } = await send(port, { body: '{"secret": tru}' });
    expect(json.detail).toMatch(/^The body is not JSON \(RFC 8259\)(?:, at character \d+)?\.$/);
  });

  it("keeps a sender's words in one line of the log", async () => {
    const { port, lines } = await serveNode();
    await exchange(
      port,
      head(["Content-Type: text/red\u0085\u009b31m", "Content-Length: 2", "Connection: close"]) + "{}",
    );
    await send(port, { headers: { "content-encoding": `x${"y".repeat(3000)}` }, body: "{}" });
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line.length).toBeLessThan(1100);
      // eslint-disable-next-line no-control-regex -- they are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });
});

describe.each([undefined, "production", "development", "test"])("a refusal, with NODE_ENV %s [T21]", (env) => {
  const before = process.env["NODE_ENV"];
  beforeEach(() => {
    if (env === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = env;
  });
  afterEach(() => {
    process.env["NODE_ENV"] = before;
  });

  it("is the node's own, at once, before the body has been sent whole; no error handler of the app is reached", async () => {
    const reached: unknown[] = [];
    const app = express();
    app.use(
      "/hook",
      createWebhookNode({
        anonymous: "accept",
        logger: recordingLogger([]),
        maxBytes: 1000,
        emitter: async () => {},
      }),
    );
    app.use((error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
      reached.push(error);
      response.status(599).end();
    });
    const { port } = await serveApp(app);
    const refused: readonly [readonly string[], string, number][] = [
      [[JSON_TYPE], "PUT /hook HTTP/1.1", 405],
      [["Content-Type: text/html"], "POST /hook HTTP/1.1", 415],
      [[JSON_TYPE, "Content-Encoding: nope"], "POST /hook HTTP/1.1", 415],
      [[JSON_TYPE, "Content-Encoding: br"], "POST /hook HTTP/1.1", 413],
    ];
    for (const [lines, start, status] of refused) {
      const client = await dial(port);
      // The first octet says a window of 2^24; the other 99 never come.
      client.write(head([...lines, "Content-Length: 100"], start) + "\u000f");
      await client.answered();
      expect(client.statuses()).toEqual([status]);
      expect(client.text()).toMatch(/^Content-Type: application\/problem\+json\r$/m);
      expectNoLeak(client.text());
      client.cut();
    }
    expect(reached).toEqual([]);
  });
});

describe("nodes beside each other [A1, T21]", () => {
  it("under one path, in two apps: each answers its own, what is below them falls through", async () => {
    const heard: string[] = [];
    const nodeNamed = (name: string): ReturnType<typeof createWebhookNode> => {
      const node = createWebhookNode({
        name,
        anonymous: "accept",
        logger: recordingLogger([]),
        emitter: async (message) => void heard.push(`${message.node}: ${message.body}`),
      });
      node.events.on("outcome", ({ kind }) => heard.push(`${name}: ${kind}`));
      return node;
    };
    const [first, second] = [express(), express()];
    first.use("/a", nodeNamed("a"));
    first.use("/a/deep", nodeNamed("deep"));
    second.use("/b", nodeNamed("b"));
    second.use("/", nodeNamed("root"));
    const app = express();
    app.use("/hooks", first);
    app.use("/hooks", second);
    app.use((request, response) => void response.status(404).end(`app: ${request.originalUrl}`));
    const { port } = await serveApp(app);

    const post = async (path: string, body = "1"): Promise<[number, string[]]> => {
      const { status } = await send(port, { path, body });
      const told: [number, string[]] = [status, heard.splice(0)];
      return told;
    };
    expect(await post("/hooks/a")).toEqual([200, ["a: 1", "a: delivered"]]);
    expect(await post("/hooks/a/")).toEqual([200, ["a: 1", "a: delivered"]]);
    expect(await post("/hooks/a/deep")).toEqual([200, ["deep: 1", "deep: delivered"]]);
    expect(await post("/hooks/b")).toEqual([200, ["b: 1", "b: delivered"]]);
    expect(await post("/hooks")).toEqual([200, ["root: 1", "root: delivered"]]);
    expect(await post("/hooks/b", "{")).toEqual([400, ["b: refused"]]);
    expect(await post("/hooks/c")).toEqual([404, []]);
    expect(await post("/hooks/a/deeper/still")).toEqual([404, []]);
  });

  it("one above the other on the same path: the first answers everything, the second hears nothing", async () => {
    const second = jest.fn();
    const options = { anonymous: "accept", logger: recordingLogger([]) } as const;
    const app = express();
    app.use("/hook", createWebhookNode({ ...options, emitter: async () => {} }));
    app.use("/hook", createWebhookNode({ ...options, emitter: second }));
    const { port } = await serveApp(app);
    expect((await send(port, { path: "/hook", body: "{}" })).status).toBe(200);
    expect((await send(port, { path: "/hook", body: "{" })).status).toBe(400);
    expect((await send(port, { path: "/hook", method: "GET" })).status).toBe(405);
    expect(second).not.toHaveBeenCalled();
  });

  it("one node at two paths keeps one account", async () => {
    const lines: string[] = [];
    const node = createWebhookNode({ anonymous: "accept", logger: recordingLogger(lines), emitter: async () => {} });
    const app = express();
    app.use(["/one", "/two"], node);
    const { port } = await serveApp(app);
    expect((await send(port, { path: "/one", body: "{}" })).status).toBe(200);
    expect((await send(port, { path: "/two", body: "{}" })).status).toBe(200);
    expect(await node.drain({ timeoutMs: 1000 })).toEqual({ unanswered: 0 });
    expectProblem(await send(port, { path: "/one", body: "{}" }), 503, "ERR_WEBHOOK_DRAINING");
    expectProblem(await send(port, { path: "/two", body: "{}" }), 503, "ERR_WEBHOOK_DRAINING");
  });
});

describe("coded refusals [T5, T21]", () => {
  it("are answered once for each of many requests on one connection", async () => {
    const { port, outcomes } = await serveNode();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let at = 0; at < 30; at++) {
      const coding = (["gzip", "deflate", "br"] as const)[at % 3] as "gzip";
      const body = at % 2 === 0 ? CODE[coding]("{") : [CODE[coding](`"${"x".repeat(at * 100)}`)];
      expectProblem(
        await send(port, { headers: { "content-encoding": coding }, body, agent }),
        400,
        "ERR_WEBHOOK_JSON",
      );
    }
    agent.destroy();
    await until(() => outcomes.length === 30);
  });
});

/** Sends raw octets, and reads the one answer as `send` does. */
async function parsed(port: number, request: string): Promise<Answered> {
  const { text } = await exchange(port, request);
  const [top = "", content = ""] = text.split("\r\n\r\n");
  const [start = "", ...lines] = top.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  return { status: Number(start.split(" ")[1]), headers, text: content, json: JSON.parse(content) };
}
