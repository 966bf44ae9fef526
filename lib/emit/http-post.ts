/**
 * One POST by Node's own client, settled by the status of the answer.
 *
 * Not `fetch`: it has no hook for the addresses that a name stands for, and follows its own ideas of a request's header.
 *
 * @module
 */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { BusyError } from "./busy-error";

export type HttpAnswer = {
  readonly status: number;
  /** The field as it came. */
  readonly retryAfter: string | undefined;
};

/** Octets as `fetch` wants them. Before TypeScript 5.7 the type of an array says nothing of its buffer, and cannot be asked to. */
type Octets = ReturnType<typeof Uint8Array.of>;

/** What is called of `fetch`, and read of its response. */
export type ForwardFetch = (
  url: string,
  init: {
    method: "POST";
    headers: Record<string, string>;
    body: Octets;
    redirect: "manual";
    signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: { cancel(): Promise<void> } | null;
}>;

export type HttpPost = (url: URL, headers: Readonly<Record<string, string>>, body: Buffer) => Promise<HttpAnswer>;

/** Connections are kept for the next message, for less long than most servers keep theirs (Node: 5 seconds). */
const AGENT = { keepAlive: true, maxSockets: 64, maxFreeSockets: 16, timeout: 4_000 };
/** The content of an answer is of no interest, and read only so that its connection can be used again. */
const MAX_ANSWER_BYTES = 65_536;
/** A connection that was kept, and that the server closed while the request was on its way. */
const CLOSED = new Set(["ECONNRESET", "EPIPE"]);

/** Creates the function that posts. Connections of its own are kept open for seconds, and keep no process alive. */
export function httpPoster({
  timeoutMs,
  lookup,
}: {
  timeoutMs: number;
  lookup?: LookupFunction | undefined;
}): HttpPost {
  const clients = {
    "http:": { request: http.request, agent: new http.Agent(AGENT) },
    "https:": { request: https.request, agent: new https.Agent(AGENT) },
  };

  /** Resolves to nothing where a kept connection turned out to be closed. */
  function attempt(url: URL, headers: Readonly<Record<string, string>>, body: Buffer, ms: number, isFresh: boolean) {
    const { request: send, agent } = clients[url.protocol as keyof typeof clients];
    return new Promise<HttpAnswer | undefined>((resolve, reject) => {
      const request = send(url, {
        method: "POST",
        headers: { ...headers, "content-length": body.length },
        agent: isFresh ? false : agent,
        ...(lookup && { lookup }),
      });
      const timer = setTimeout(() => {
        // A request that still waits for a connection would tell of its end only when it has got one.
        reject(new BusyError(`${url.host} has not answered in time.`));
        request.destroy();
      }, ms);
      let isAnswered = false;
      request.on("response", (response) => {
        isAnswered = true;
        resolve({ status: response.statusCode as number, retryAfter: response.headers["retry-after"] });
        discard(response);
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && CLOSED.has(error.code as string)) resolve(undefined);
        else reject(new BusyError(`${url.host} cannot be reached: ${error.message}`, { cause: error }));
      });
      request.on("close", () => {
        clearTimeout(timer);
        // An error that nobody sees would still cost its stack.
        if (!isAnswered) reject(new Error(`${url.host} has closed the connection without an answer.`));
      });
      request.end(body);
    });
  }

  return async function post(url, headers, body) {
    const startedAt = performance.now();
    const answer = await attempt(url, headers, body, timeoutMs, false);
    if (answer) return answer;
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
    return (await attempt(url, headers, body, leftMs, true)) as HttpAnswer;
  };
}

/** Creates the function that posts by a `fetch` of yours. */
export function fetchPoster(fetch: ForwardFetch, timeoutMs: number): HttpPost {
  return async function post(url, headers, body) {
    let response: Awaited<ReturnType<ForwardFetch>>;
    try {
      response = await fetch(url.href, {
        method: "POST",
        headers: { ...headers },
        body: body as Octets,
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new BusyError(`${url.host} cannot be reached, or has not answered in time.`, { cause: error });
    }
    // The content is of no interest, and would hold the connection.
    response.body?.cancel().catch(() => {});
    return { status: response.status, retryAfter: response.headers.get("retry-after") ?? undefined };
  };
}

function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on("error", () => {}); // The status was the confirmation.
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) response.destroy();
  });
}
