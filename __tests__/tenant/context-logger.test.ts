import { Writable } from "node:stream";
import pino from "pino";
import winston from "winston";
import {
  AuthCredentials,
  createWebhookNode,
  SimpleUser,
  type Authenticator,
  type Context,
  type Logger,
  type WebhookNodeOptions,
} from "express-webhook-node";
import type { LoggingLevel } from "express-webhook-node/tenant/logger";
import { createTenant } from "express-webhook-node/tenant/tenant";
import { recordingLogger, send, serve, serveNode } from "../support/serve";

const emitter = async (): Promise<void> => {};
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;

/** Says one line of each level. */
function speak(logger: Logger): void {
  logger.debug("fine");
  logger.info("good");
  logger.warn("odd");
  logger.error("bad");
}

const speaking: Authenticator<Context> = ({ context }) => {
  speak(context.logger);
  return [new AuthCredentials(), new SimpleUser("sender")];
};

const loggerOf = (options: Partial<WebhookNodeOptions>): Logger =>
  createWebhookNode({ anonymous: "accept", emitter, name: "orders", ...options }).context.logger;

/** What a logger wrote as JSON, line by line: level, line, node, tenant. */
function jsonLines(): { readonly stream: Writable; readonly lines: () => unknown[] } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const lines = (): unknown[] =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const { level, msg, message, node, tenant } = JSON.parse(line) as Record<string, string>;
        return [level, msg ?? message, node, tenant];
      });
  return { stream, lines };
}

describe("context.logger", () => {
  it.each([
    ["DEBUG", ["debug: fine", "info: good", "warn: odd", "error: bad"]],
    ["INFO", ["info: good", "warn: odd", "error: bad"]],
    ["WARNING", ["warn: odd", "error: bad"]],
    ["ERROR", ["error: bad"]],
    [undefined, ["debug: fine", "info: good", "warn: odd", "error: bad"]],
  ] as const)("lets through from loggingLevel %s on, with the node's name [F2]", async (loggingLevel, expected) => {
    const lines: string[] = [];
    const { port } = await serveNode({
      name: "orders",
      authenticator: speaking,
      loggingLevel,
      logger: recordingLogger(lines),
    });
    await send(port, { body: "1" });

    const said = expected.map((line) => line.replace(": ", ": webhook orders: "));
    expect(lines.filter((line) => !line.includes("delivered"))).toEqual(said);
  });

  it("rules what functions say, and not what the node says itself [F2]", async () => {
    const lines: string[] = [];
    const { port } = await serveNode({
      name: "orders",
      authenticator: ({ context }) => (context.logger.warn("who is it?"), null),
      loggingLevel: "ERROR",
      logger: recordingLogger(lines),
    });
    await send(port, { body: "1" });

    expect(lines).toEqual([expect.stringContaining("warn: webhook orders: refused, 403 ERR_WEBHOOK_FORBIDDEN")]);
  });

  it.each([...LEVELS, undefined])("is a child of pino, with names as fields, at level %s [F2]", (loggingLevel) => {
    const { stream, lines } = jsonLines();
    // Its own level is lower or higher than the node's.
    const logger = pino({ level: "warn" }, stream);
    speak(loggerOf({ logger, tenant: createTenant({ name: "acme" }), loggingLevel }));

    const all = [
      [20, "fine", "orders", "acme"],
      [30, "good", "orders", "acme"],
      [40, "odd", "orders", "acme"],
      [50, "bad", "orders", "acme"],
    ];
    expect(lines()).toEqual(all.slice(loggingLevel === undefined ? 2 : LEVELS.indexOf(loggingLevel)));
  });

  it.each([...LEVELS, undefined])("is a child of winston, with names as fields, at level %s [F2]", (loggingLevel) => {
    const { stream, lines } = jsonLines();
    const logger = winston.createLogger({
      level: "debug",
      format: winston.format.json(),
      transports: [new winston.transports.Stream({ stream })],
    });
    speak(loggerOf({ logger, tenant: createTenant({ name: "acme" }), loggingLevel }));

    const all = [
      ["debug", "fine", "orders", "acme"],
      ["info", "good", "orders", "acme"],
      ["warn", "odd", "orders", "acme"],
      ["error", "bad", "orders", "acme"],
    ];
    expect(lines()).toEqual(all.slice(loggingLevel === undefined ? 0 : LEVELS.indexOf(loggingLevel)));
  });

  it.each([
    ["DEBUG", 4],
    [undefined, 3],
    ["INFO", 3],
    ["WARNING", 2],
    ["ERROR", 1],
  ] as const)("is console where the app has no logger, from %s on, INFO by default [F2]", (loggingLevel, count) => {
    const said: unknown[] = [];
    const spies = (["debug", "info", "warn", "error"] as const).map((method) =>
      jest.spyOn(console, method).mockImplementation((...args: unknown[]) => void said.push([method, ...args])),
    );
    speak(loggerOf({ loggingLevel }));
    for (const spy of spies) spy.mockRestore();

    const all = [
      ["debug", "webhook orders: fine"],
      ["info", "webhook orders: good"],
      ["warn", "webhook orders: odd"],
      ["error", "webhook orders: bad"],
    ];
    expect(said).toEqual(all.slice(-count));
  });

  it.each([
    ["nothing", () => undefined],
    ["what is no logger", () => ({ info() {} })],
  ])("names the node before the line where child() makes %s [F2]", (_, child) => {
    const lines: string[] = [];
    speak(loggerOf({ logger: { ...recordingLogger(lines), child } as Logger, loggingLevel: "ERROR" }));
    expect(lines).toEqual(["error: webhook orders: bad"]);
  });

  it("passes on all that it is given, an error too [F2]", () => {
    const error = jest.fn();
    const failure = new Error("broken");
    const logger = loggerOf({ logger: { ...recordingLogger([]), error } });
    logger.error("bad", failure);
    (logger.error as (value: unknown) => void)(failure);
    expect(error.mock.calls).toEqual([
      ["webhook orders: bad", failure],
      ["webhook orders:", failure],
    ]);
  });

  it("fails no request where the app's logger fails [F2]", async () => {
    const failing = (): void => {
      throw new Error("disk full");
    };
    const logger = { debug: failing, info: failing, warn: failing, error: failing };
    const node = createWebhookNode({ authenticator: speaking, emitter, logger });
    const { port } = await serve(node);
    expect((await send(port, { body: "1" })).status).toBe(200);
  });

  it("is the node's own logger, or else the tenant's [F2]", () => {
    const [own, shared] = [[], []] as string[][];
    const tenant = createTenant({ logger: recordingLogger(shared!) });
    loggerOf({ tenant, logger: recordingLogger(own!) }).info("one");
    loggerOf({ tenant }).info("two");
    expect([own, shared]).toEqual([["info: webhook orders: one"], ["info: webhook orders: two"]]);
  });

  it.each(["WARN", "debug", "", "constructor", 20, null])("throws at start for the level %j [F2]", (level) => {
    expect(() => loggerOf({ loggingLevel: level as LoggingLevel })).toThrow(
      /^loggingLevel: .* is none of DEBUG, INFO, WARNING, ERROR\.$/,
    );
  });

  it.each([
    ["null", null],
    ["an object", {}],
    ["a function", () => {}],
  ])("throws at start for a logger that is %s [F2]", (_, logger) => {
    expect(() => loggerOf({ logger: logger as unknown as Logger })).toThrow("logger: it has no method debug()");
  });
});
