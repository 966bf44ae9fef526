/**
 * A node where apps mount it.
 */
import http from "node:http";
import { createGzip, gunzipSync, type Gzip } from "node:zlib";
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from "express";
import {
  AuthCredentials,
  createWebhookNode,
  HTTPException,
  keepRawBody,
  SimpleUser,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { recordingLogger, send, serveApp } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

/** A node that takes any sender and keeps its messages. */
function nodeOf(options: Partial<WebhookNodeOptions> = {}) {
  const messages: Message[] = [];
  const lines: string[] = [];
  const node = createWebhookNode({
    ...(options.authenticator === undefined && { anonymous: "accept" as const }),
    logger: recordingLogger(lines),
    emitter: async (message) => void messages.push(message),
    ...options,
  });
  return { node, messages, lines };
}

/** The app's own end: what no node has taken. */
const fallThrough: RequestHandler = (request, response) => {
  response.status(404).send(`${request.method} is not the node's`);
};

const mounts: readonly (readonly [name: string, path: string, mount: (app: Express, node: RequestHandler) => void])[] =
  [
    ["without a path", "/", (app, node) => app.use(node)],
    ['at "/"', "/", (app, node) => app.use("/", node)],
    ['at "/a/b"', "/a/b", (app, node) => app.use("/a/b", node)],
    [
      "in a Router",
      "/api/hook",
      (app, node) => {
        const router = express.Router();
        router.use("/hook", node);
        app.use("/api", router);
      },
    ],
    [
      "at the root of a Router",
      "/api",
      (app, node) => {
        const router = express.Router();
        router.use(node);
        app.use("/api", router);
      },
    ],
    ["at a path with a parameter", "/hooks/acme", (app, node) => app.use("/hooks/:tenant", node)],
    ["at one of several paths", "/b", (app, node) => app.use(["/a", "/b"], node)],
    [
      "in an app of its own",
      "/sub/hook",
      (app, node) => {
        const sub = express();
        sub.use("/hook", node);
        app.use("/sub", sub);
      },
    ],
  ];

describe.each(mounts)("a node mounted %s", (_, path, mount) => {
  async function served() {
    const { node, messages } = nodeOf();
    const app = express();
    mount(app, node);
    app.use(fallThrough);
    return { ...(await serveApp(app)), messages };
  }

  it("receives by POST at its root, with a slash behind it or not, and with a query [A1]", async () => {
    const { port, messages } = await served();
    const base = path === "/" ? "" : path;
    const targets = [path, `${base}/`, `${path}?a=1`, `${base}/?a=/b`];
    for (const target of targets) expect((await send(port, { path: target, body: "1" })).status).toBe(200);

    expect(messages).toHaveLength(targets.length);
  });

  it.each(["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])(
    "answers %s there with 405 and Allow [A1]",
    async (method) => {
      const { port, messages } = await served();
      const answered = await send(port, { path, method });

      expect([answered.status, answered.headers.allow]).toEqual([405, "POST"]);
      if (method === "HEAD") expect(answered.text).toBe("");
      else
        expect(answered.json).toMatchObject({
          status: 405,
          code: "ERR_WEBHOOK_METHOD",
          detail: expect.stringContaining("POST"),
        });
      expect(messages).toEqual([]);
    },
  );

  it.each(["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])(
    "leaves %s below its root to the app [A1]",
    async (method) => {
      const { port, messages } = await served();
      const below = path === "/" ? "" : path;
      for (const target of [`${below}/below`, `${below}/below/`, `${below}/%2F`, `${below}/a/b?c`]) {
        const answered = await send(port, { path: target, method, ...(method === "POST" && { body: "1" }) });

        expect(answered.status).toBe(404);
        if (method !== "HEAD") expect(answered.text).toBe(`${method} is not the node's`);
      }
      expect(messages).toEqual([]);
    },
  );
});

describe("a node", () => {
  it("leaves paths beside it to the app [A1]", async () => {
    const { node } = nodeOf();
    const app = express();
    app.use("/hooks/in", node);
    app.use(fallThrough);
    const { port } = await serveApp(app);
    for (const path of ["/", "/hooks", "/hooks/", "/hooks/inn", "/hooks/in2", "/other"]) {
      expect((await send(port, { path, body: "1" })).status).toBe(404);
    }
  });

  it("hands the parameters of its path to the authenticator and to groupId [B2]", async () => {
    const seen: unknown[] = [];
    const { node, messages } = nodeOf({
      authenticator: ({ request }) => {
        seen.push({ ...request.params });
        return [new AuthCredentials(), new SimpleUser(String(request.params["tenant"]))];
      },
      groupId: ({ sender }) => sender?.name,
    });
    const app = express();
    const router = express.Router({ mergeParams: true });
    router.use("/hooks/:tenant", node);
    app.use("/:region", router);
    const { port } = await serveApp(app);
    await send(port, { path: "/eu/hooks/acme", body: "1" });
    await send(port, { path: "/us/hooks/a%20b", body: "1" });

    expect(seen).toEqual([
      { region: "eu", tenant: "acme" },
      { region: "us", tenant: "a b" },
    ]);
    expect(messages.map(({ groupId }) => groupId)).toEqual(["acme", "a b"]);
  });

  it("lives beside others in one app, each with its own messages, outcomes and context [A1, J4]", async () => {
    const nodes = ["a", "b", "c"].map((name) => ({ name, ...nodeOf({ name }) }));
    const outcomes: string[] = [];
    const app = express();
    for (const { name, node } of nodes) {
      node.events.on("outcome", (outcome) => outcomes.push(`${outcome.node}: ${outcome.kind}`));
      app.use(`/${name}`, node);
      app.use(`/nested/${name}`, node);
    }
    const { port } = await serveApp(app);
    for (const path of ["/a", "/b", "/nested/b"]) expect((await send(port, { path, body: "1" })).status).toBe(200);
    expect((await send(port, { path: "/c", body: "{" })).status).toBe(400);

    expect(nodes.map(({ messages }) => messages.map(({ node }) => node))).toEqual([["a"], ["b", "b"], []]);
    expect(outcomes).toEqual(["a: delivered", "b: delivered", "b: delivered", "c: refused"]);
    expect(new Set(nodes.map(({ node }) => node.context)).size).toBe(3);
  });

  it("may stand below another at a shorter path [A1]", async () => {
    const outer = nodeOf({ name: "outer" });
    const inner = nodeOf({ name: "inner" });
    const app = express();
    app.use("/hooks", outer.node);
    app.use("/hooks/inner", inner.node);
    const { port } = await serveApp(app);
    await send(port, { path: "/hooks/inner", body: "1" });
    await send(port, { path: "/hooks", body: "2" });

    expect(inner.messages.map(({ payload }) => payload)).toEqual([1]);
    expect(outer.messages.map(({ payload }) => payload)).toEqual([2]);
    expect(inner.lines.join()).toContain("webhook inner: delivered");
  });

  it("answers all its refusals itself: the app's own error handler has none of them [T21]", async () => {
    const errors: unknown[] = [];
    const { node } = nodeOf({
      authenticator: ({ request }) => {
        if (request.get("x-how") === "throw") throw new Error("hunter2");
        if (request.get("x-how") === "none") throw new HTTPException(401);
        return [new AuthCredentials(), new SimpleUser("a")];
      },
      emitter: async ({ payload }) => {
        if (payload === 2) throw new Error("hunter2");
      },
    });
    const app = express();
    app.use("/in", node);
    app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      errors.push(error);
      response.status(500).send("the app's own");
    });
    const { port } = await serveApp(app);
    const statuses = [];
    for (const sent of [
      { method: "GET" },
      { headers: { "content-type": "text/plain" }, body: "1" },
      { headers: { "x-how": "none" }, body: "1" },
      { headers: { "x-how": "throw" }, body: "1" },
      { body: "{" },
      { body: "2" },
      { body: "1" },
    ]) {
      const answered = await send(port, { path: "/in", ...sent });
      statuses.push(answered.status);
      expect(answered.text).not.toMatch(/hunter2|the app's own|at .*\.ts/);
    }

    expect(statuses).toEqual([405, 415, 401, 500, 400, 503, 200]);
    expect(errors).toEqual([]);
  });

  it("is one endpoint in a listing of the router", () => {
    const { node } = nodeOf();
    const { stack } = node as unknown as { stack: { route: { path: string; stack: { name: string }[] } }[] };

    expect(stack.map(({ route }) => route.path)).toEqual(["/"]);
    expect(stack[0]?.route.stack.map(({ name }) => name)).toEqual(["webhookNode"]);
  });
});

/** Sets the fields that middlewares for safety set on every response. */
const headersForSafety: RequestHandler = (_request, response, next) => {
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Strict-Transport-Security", "max-age=31536000");
  response.removeHeader("X-Powered-By");
  next();
};

/** Answers preflight requests, and lets any origin read the others. */
const crossOrigin: RequestHandler = (request, response, next) => {
  response.setHeader("Access-Control-Allow-Origin", "*");
  if (request.method !== "OPTIONS") return next();
  response.setHeader("Access-Control-Allow-Methods", "POST");
  response.status(204).end();
};

/** Compresses what is written, the way middlewares do it: by taking the place of `write` and `end`. */
const compressing: RequestHandler = (_request, response, next) => {
  const write = response.write.bind(response) as (chunk: unknown) => boolean;
  const end = response.end.bind(response) as (chunk?: unknown) => Response;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  let gzip: Gzip | undefined;
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(response.statusCode);
  };
  Object.assign(response, {
    writeHead(...args: unknown[]): Response {
      if (response.getHeader("Content-Type") !== undefined) {
        gzip = createGzip();
        gzip.on("data", (chunk: Buffer) => void write(chunk));
        gzip.on("end", () => void end());
        response.removeHeader("Content-Length");
        response.setHeader("Content-Encoding", "gzip");
      }
      return writeHead(...args);
    },
    write(chunk: string): boolean {
      begin();
      return gzip ? gzip.write(chunk) : write(chunk);
    },
    end(chunk?: string): Response {
      begin();
      if (!gzip) return end(chunk);
      gzip.end(chunk);
      return response;
    },
  });
  next();
};

/** Sends one request and takes the answer in octets. */
function sendForOctets(port: number, body: string, headers: http.OutgoingHttpHeaders = {}) {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; octets: Buffer }>((resolve, reject) => {
    const fields = { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers };
    http
      .request({ host: "127.0.0.1", port, method: "POST", headers: fields, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode!, headers: response.headers, octets: Buffer.concat(chunks) });
        });
      })
      .on("error", reject)
      .end(body);
  });
}

describe("a node below middlewares of the app", () => {
  it.each([
    ["an acceptance", "1", 200],
    ["a refusal", "{", 400],
  ])("keeps the fields that they set, in %s", async (_, body, status) => {
    const app = express();
    app.use(headersForSafety, crossOrigin);
    app.use(nodeOf().node);
    const { port } = await serveApp(app);
    const answered = await send(port, { body });

    expect(answered.status).toBe(status);
    expect(answered.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "strict-transport-security": "max-age=31536000",
      "access-control-allow-origin": "*",
    });
    expect(answered.headers).not.toHaveProperty("x-powered-by");
  });

  it("leaves preflight requests to one that answers them", async () => {
    const app = express();
    app.use(crossOrigin);
    app.use(nodeOf().node);
    const { port } = await serveApp(app);

    expect((await send(port, { method: "OPTIONS" })).status).toBe(204);
    expect((await send(port, { method: "GET" })).status).toBe(405);
  });

  it.each([
    ["an acceptance", "1", 200],
    ["a refusal", "{", 400],
  ])("has its answer compressed by one that does so: %s", async (_, body, status) => {
    const app = express();
    app.use(compressing);
    app.use(nodeOf().node);
    const { port } = await serveApp(app);
    const answered = await sendForOctets(port, body);
    const json = JSON.parse(gunzipSync(answered.octets).toString()) as object;

    expect([answered.status, answered.headers["content-encoding"]]).toEqual([status, "gzip"]);
    expect(json).toHaveProperty(status === 200 ? "trackingId" : "code");
  });

  it("has a refusal compressed whole whose body is still awaited [T5]", async () => {
    const app = express();
    app.use(compressing);
    app.use(nodeOf().node);
    const { port } = await serveApp(app);
    const connection = await dial(port);
    connection.write(head(["Content-Type: text/plain", "Content-Length: 1000"]));
    await connection.closed;

    expect(connection.statuses()).toEqual([415]);
    expect(connection.text()).toMatch(/^Content-Encoding: gzip\r$/m);
    expect(connection.text()).not.toMatch(/^Content-Length:/m);
  });

  it("receives where one has waited before it", async () => {
    const { node, messages } = nodeOf();
    const app = express();
    app.use((_request, _response, next) => void setTimeout(next, 20));
    app.use(node);
    const { port } = await serveApp(app);

    expect((await send(port, { body: '{"a":1}' })).status).toBe(200);
    expect(messages[0]!.payload).toEqual({ a: 1 });
  });
});

describe("a node below a body parser", () => {
  it.each<[string, RequestHandler, string]>([
    ["express.json()", express.json(), "application/json"],
    ["express.text()", express.text({ type: "*/*" }), "application/json"],
    ["express.urlencoded()", express.urlencoded({ type: "*/*" }), "application/json"],
  ])("is 500 for a body that %s has eaten, with a log line that mends it [T19]", async (_, parser, type) => {
    const { node, messages, lines } = nodeOf();
    const app = express();
    app.use(parser);
    app.use(node);
    const { port } = await serveApp(app);
    const answered = await send(port, { headers: { "content-type": type }, body: '{"a":1}' });

    expect([answered.status, answered.json.code]).toEqual([500, "ERR_WEBHOOK_BODY_CONSUMED"]);
    expect(messages).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("A body parser such as express.json() is mounted above the node");
    expect(lines[0]).toContain("Mount the node above the parser");
    expect(lines[0]).toContain("express.json({ verify: keepRawBody })");
  });

  it.each<[string, RequestHandler]>([
    ["express.json({ verify: keepRawBody })", express.json({ verify: keepRawBody })],
    ["express.raw()", express.raw({ type: "*/*" })],
  ])("takes the octets that %s has kept [T19]", async (_, parser) => {
    const { node, messages } = nodeOf();
    const app = express();
    app.use(parser);
    app.use(node);
    const { port } = await serveApp(app);

    expect((await send(port, { body: ' {"a":1}' })).status).toBe(200);
    expect(messages[0]).toMatchObject({ body: ' {"a":1}', payload: { a: 1 } });
  });

  it("leaves the body to a parser below it, for the paths that are not its own [A1]", async () => {
    const app = express();
    app.use("/in", nodeOf().node);
    app.use(express.json());
    app.post("/in/echo", (request, response) => void response.json(request.body));
    const { port } = await serveApp(app);

    expect((await send(port, { path: "/in/echo", body: '{"a":1}' })).json).toEqual({ a: 1 });
  });
});
