/** The program of the load tests: two nodes, and what they cost their process. */
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { finished } from "node:stream/promises";
import express from "express";
import { createWebhookNode, type Outcome, type WebhookNodeOptions } from "express-webhook-node";

export type Costs = {
  /** The most memory that the process has ever held, in bytes. */
  readonly peakBytes: number;
  /** The memory that the process holds now, in bytes. */
  readonly residentBytes: number;
  /** What is left of it once garbage is collected: the heap and the buffers outside of it. */
  readonly heldBytes: number;
  /** What keeps the process busy: sockets, timers, decoders, by their kind. */
  readonly resources: Readonly<Record<string, number>>;
};

export type Counts = {
  /** Connections that have ever been made, and those that stand. */
  readonly connections: number;
  readonly open: number;
  readonly requests: number;
  readonly emitted: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly unanswered: number;
};

let connections = 0;
let open = 0;
let requests = 0;
let emitted = 0;
let unanswered = 0;
const outcomes: Record<string, number> = {};

const quiet = (): void => {};
const options: WebhookNodeOptions = {
  deadlineMs: 30_000,
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  emitter: async () => {
    emitted++;
  },
};
/** One that parses what it gets, and one whose authenticator hears the body while it arrives. */
const plain = createWebhookNode({ ...options, anonymous: "accept" });
const live = createWebhookNode({
  ...options,
  authenticator: async ({ body }) => {
    await finished(body.stream().resume());
    return [{ scopes: [] }, { isAuthenticated: true }];
  },
});
for (const node of [plain, live]) {
  node.events.on("outcome", ({ kind, code }: Outcome) => {
    const name = code === undefined ? kind : `${kind} ${code}`;
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  });
}

const app = express();
app.use((_request, response, next) => {
  requests++;
  unanswered++;
  response.once("close", () => unanswered--);
  next();
});
app.use("/live", live);
app.use("/", plain);
const server = http.createServer(app);
server.on("connection", (socket) => {
  connections++;
  open++;
  socket.once("close", () => open--);
});

/** The most memory that this program has held: what a process is told by `maxRSS` counts that of its parent, too. */
function residentPeak(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // Only Linux has it.
  }
  return process.resourceUsage().maxRSS * 1024;
}

async function costs(): Promise<Costs> {
  for (let at = 0; at < 3; at++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    peakBytes: residentPeak(),
    residentBytes: rss,
    heldBytes: heapUsed + external,
    resources,
  };
}

process.on("message", ({ id, question }: { id: number; question: string }) => {
  void (async () => {
    const answer =
      question === "costs" ? await costs() : { connections, open, requests, emitted, outcomes, unanswered };
    process.send?.({ id, answer });
  })();
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
