/**
 * A real server on a loopback port for one test, and what a sender sees of it.
 *
 * @module
 */
import http from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import express, { type Express } from "express";
import {
  createWebhookNode,
  type Logger,
  type Message,
  type Outcome,
  type WebhookNode,
  type WebhookNodeOptions,
} from "express-webhook-node";

export type Served = {
  readonly app: Express;
  readonly server: http.Server;
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
};

const opened: { readonly server: http.Server }[] = [];

/** Serves an app, and closes it with all its connections after the test. */
export async function serveApp(app: Express): Promise<Served> {
  const server = http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push({ server });
  const { port } = server.address() as AddressInfo;
  return { app, server, port, url: `http://127.0.0.1:${port}` };
}

/** Serves steps at the root of an app of their own. */
export function serve(...steps: readonly unknown[]): Promise<Served> {
  const app = express();
  app.use("/", ...(steps as express.RequestHandler[]));
  return serveApp(app);
}

export type ServedNode = Served & {
  readonly node: WebhookNode;
  /** What the node has emitted. */
  readonly messages: Message[];
  readonly outcomes: Outcome[];
  /** What the node has logged: `level: line`. */
  readonly lines: string[];
};

/** Serves a node at the root of an app. Unless told otherwise it takes any sender, and its emitter keeps the messages. */
export async function serveNode(options: Partial<WebhookNodeOptions> = {}): Promise<ServedNode> {
  const messages: Message[] = [];
  const lines: string[] = [];
  const isSecured = options.authenticator !== undefined || options.source !== undefined;
  const node = createWebhookNode({
    ...(!isSecured && { anonymous: "accept" as const }),
    logger: recordingLogger(lines),
    emitter: async (message) => {
      messages.push(message);
    },
    ...options,
  });
  const outcomes: Outcome[] = [];
  node.events.on("outcome", (outcome) => outcomes.push(outcome));
  const served = await serve(node);
  return { ...served, node, messages, outcomes, lines };
}

export function recordingLogger(lines: string[]): Logger {
  const at = (level: string) => (line: string, error?: unknown) => {
    lines.push(`${level}: ${line}${error instanceof Error ? ` | ${error.message}` : ""}`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export type Answered = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON, or `undefined` where it is none. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- tests say what they expect in it
};

export type Sent = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Sent with `Content-Length` if it is one piece, chunked if it is a list of pieces. */
  readonly body?: string | Buffer | readonly (string | Buffer)[];
  readonly agent?: http.Agent;
};

/** Sends one request by Node's client. The content type is JSON unless `headers` says otherwise (`undefined` for none). */
export function send(
  port: number,
  { method = "POST", path = "/", headers, body, agent }: Sent = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const fields: http.OutgoingHttpHeaders = { "content-type": "application/json", ...headers };
    if (typeof body === "string" || Buffer.isBuffer(body)) fields["content-length"] ??= Buffer.byteLength(body);
    for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
    const request = http.request(
      { host: "127.0.0.1", port, method, path, headers: fields, agent: agent ?? false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
      },
    );
    request.on("error", reject);
    void (async () => {
      for (const piece of Array.isArray(body) ? (body as readonly (string | Buffer)[]) : []) {
        request.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      request.end(Array.isArray(body) ? undefined : body);
    })();
  });
}

/** Undoes nothing and adds nothing: writes octets to a socket, piece by piece, and reads until the server ends or `ms` pass. */
export function exchange(
  port: number,
  pieces: string | Buffer | readonly (string | Buffer)[],
  { ms = 3000, pauseMs = 0, end = false }: { ms?: number; pauseMs?: number; end?: boolean } = {},
): Promise<{
  readonly text: string;
  readonly statuses: number[];
  readonly isClosed: boolean;
  readonly tookMs: number;
}> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    let isClosed = false;
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
      resolve({ text, statuses, isClosed, tookMs: performance.now() - startedAt });
    };
    const timer = setTimeout(done, ms);
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      isClosed = true;
      done();
    });
    void (async () => {
      for (const piece of typeof pieces === "string" || Buffer.isBuffer(pieces) ? [pieces] : pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        if (pauseMs > 0) await new Promise((next) => setTimeout(next, pauseMs));
      }
      if (end) socket.end();
    })();
  });
}

/** How each coding is applied. */
export const CODE = {
  identity: (octets: string | Buffer): Buffer => Buffer.from(octets),
  gzip: (octets: string | Buffer): Buffer => gzipSync(octets),
  deflate: (octets: string | Buffer): Buffer => deflateSync(octets),
  br: (octets: string | Buffer): Buffer => brotliCompressSync(octets),
} as const;

/** Waits until something is true, for at most two seconds unless told. */
export async function until(isTrue: () => boolean, withinMs = 2000): Promise<void> {
  const give = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > give) throw new Error(`until: it has not become true in ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

afterEach(async () => {
  await Promise.all(
    opened.splice(0).map(({ server }) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    }),
  );
});
