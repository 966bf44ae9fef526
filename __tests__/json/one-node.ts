/**
 * One node and one connection for a whole file: hundreds of cases in a second.
 *
 * @module
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { createWebhookNode, type Message, type WebhookNodeOptions } from "express-webhook-node";
import { recordingLogger, send, type Answered, type Sent } from "../support/serve";

export type Judged = {
  readonly answered: Answered;
  /** What was emitted for the request, if anything was. */
  readonly message: Message | undefined;
};

/** Serves a node while the tests of a file run, and returns what sends to it, one request at a time. */
export function oneNode(options: Partial<WebhookNodeOptions> = {}): (sent: Sent) => Promise<Judged> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const messages: Message[] = [];
  let server: http.Server;

  beforeAll(async () => {
    const app = express();
    app.use(
      createWebhookNode({
        anonymous: "accept",
        logger: recordingLogger([]),
        emitter: async (message) => void messages.push(message),
        ...options,
      }),
    );
    server = http.createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    agent.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  return async function judge(sent) {
    messages.length = 0;
    const answered = await send((server.address() as AddressInfo).port, { agent, ...sent });
    expect(messages).toHaveLength(answered.status === 200 ? 1 : 0);
    return { answered, message: messages[0] };
  };
}
