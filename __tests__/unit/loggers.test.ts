/**
 * What was thrown reaches the log, whichever logger it is.
 */
import { Console } from "node:console";
import { Writable } from "node:stream";
import pino from "pino";
import { createLogger, transports } from "winston";
import { logError, type Logger } from "express-webhook-node/request/logger";

function collecting(): { readonly stream: Writable; readonly text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

describe("logError", () => {
  it.each<[string, (stream: Writable) => Logger]>([
    ["pino", (stream) => pino({}, stream)],
    ["a child of pino", (stream) => pino({}, stream).child({ node: "orders" })],
    ["winston", (stream) => createLogger({ transports: [new transports.Stream({ stream })] })],
    ["console", (stream) => new Console(stream, stream)],
  ])("writes the line, the message and the stack to %s", async (_, make) => {
    const { stream, text } = collecting();
    logError(make(stream), "webhook orders: failed", new Error("the queue is down"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(text()).toContain("webhook orders: failed");
    expect(text()).toContain("the queue is down");
    expect(text()).toContain("loggers.test");
  });

  it("fails nothing where the logger does", () => {
    const broken = {
      error: () => {
        throw new Error("full");
      },
    } as unknown as Logger;
    expect(() => logError(broken, "line", new Error("x"))).not.toThrow();
  });
});
