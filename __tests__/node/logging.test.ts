/**
 * What a node writes to the log, and what no sender can make it write.
 */
import {
  AuthCredentials,
  createWebhookNode,
  HTTPException,
  SimpleUser,
  type Logger,
  type Source,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { dial, head } from "../support/dial";
import { send, serve, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

afterEach(() => {
  jest.restoreAllMocks();
});

const base: WebhookNodeOptions = { anonymous: "accept", emitter: async () => {} };

describe("the log", () => {
  it.each<[string, Partial<WebhookNodeOptions>, string, string, RegExp]>([
    ["delivered", {}, "1", "debug", /^webhook orders: delivered, 200 [0-9a-f]{32}$/],
    [
      "answered",
      {
        authenticator: () => {
          throw new HTTPException(204);
        },
      },
      "1",
      "debug",
      /^webhook orders: answered, 204 ERR_WEBHOOK_HTTP_EXCEPTION$/,
    ],
    ["refused", {}, "{", "warn", /^webhook orders: refused, 400 ERR_WEBHOOK_JSON: The body is not JSON \(RFC 8259\)/],
    [
      "failed",
      { emitter: () => Promise.reject(new Error("down")) },
      "1",
      "error",
      /^webhook orders: failed, 503 ERR_WEBHOOK_EMIT: The delivery could not be taken now; send it again\.$/,
    ],
  ])("has one line for what is %s, at its level [J4]", async (_, options, body, level, line) => {
    const calls: [string, ...unknown[]][] = [];
    const at =
      (name: string) =>
      (...args: unknown[]) =>
        void calls.push([name, ...args]);
    const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    const { port } = await serve(createWebhookNode({ ...base, ...options, name: "orders", logger }));
    await send(port, { body });

    expect(calls).toHaveLength(1);
    expect([calls[0]![0], calls[0]![1]]).toEqual([level, expect.stringMatching(line)]);
    expect(calls[0]).toHaveLength(level === "error" ? 3 : 2);
  });

  it("is the console where no logger is given: refusals and failures, and no word of what went well [J4]", async () => {
    const spies = (["debug", "info", "log", "warn", "error"] as const).map((name) =>
      jest.spyOn(console, name).mockImplementation(() => {}),
    );
    const error = new Error("down");
    const { port } = await serve(
      createWebhookNode({
        ...base,
        emitter: async ({ payload }) => {
          if (payload === 2) throw error;
        },
      }),
    );
    for (const body of ["1", "{", "2"]) await send(port, { body });

    expect(spies.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0, 1, 1]);
    expect(spies[4]!.mock.calls[0]).toEqual([expect.stringMatching(/^webhook webhook: failed, 503/), error]);
  });

  it("may be any object with the four methods, which are called on it [J4]", async () => {
    class Log implements Logger {
      readonly #lines: string[] = [];

      get lines(): readonly string[] {
        return this.#lines;
      }

      debug(line: string): void {
        this.#lines.push(`debug ${line}`);
      }

      info(line: string): void {
        this.#lines.push(`info ${line}`);
      }

      warn(line: string): void {
        this.#lines.push(`warn ${line}`);
      }

      error(line: string): void {
        this.#lines.push(`error ${line}`);
      }
    }
    const logger = new Log();
    const { port } = await serve(createWebhookNode({ ...base, logger }));
    await send(port, { body: "1" });
    await send(port, { body: "{" });

    expect(logger.lines.map((line) => line.split(" ")[0])).toEqual(["debug", "warn"]);
  });

  it("may be one as pino makes it, with more levels, bound fields and children [J4]", async () => {
    const written: object[] = [];
    const make = (fields: object): object => ({
      fields,
      child: (more: object) => make({ ...fields, ...more }),
      ...Object.fromEntries(
        ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [
          level,
          function write(this: { fields: object }, message: unknown, ...rest: unknown[]) {
            written.push({ level, message, rest, ...this.fields });
          },
        ]),
      ),
    });
    const logger = make({ app: "shop" }) as Logger;
    const { port } = await serve(
      createWebhookNode({ ...base, logger, emitter: () => Promise.reject(new Error("down")) }),
    );
    await send(port, { body: "1" });

    expect(written).toEqual([
      expect.objectContaining({ level: "error", app: "shop", message: expect.stringMatching(/failed, 503/) }),
    ]);
  });

  it("may be console itself [J4]", async () => {
    const debug = jest.spyOn(console, "debug").mockImplementation(() => {});
    const { port } = await serve(createWebhookNode({ ...base, logger: console }));
    await send(port, { body: "1" });

    expect(debug).toHaveBeenCalledTimes(1);
  });

  it("changes no answer where the logger throws [J1, J4]", async () => {
    const fail = (): never => {
      throw new Error("disk full");
    };
    const { port, outcomes } = await serveNode({ logger: { debug: fail, info: fail, warn: fail, error: fail } });

    expect((await send(port, { body: "1" })).status).toBe(200);
    expect((await send(port, { body: "{" })).status).toBe(400);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered", "refused"]);
  });

  it.each<[string, unknown, string]>([
    ["null", null, "logger: "],
    ["a function", () => {}, "logger: it has no method debug()"],
    ["no debug", { info() {}, warn() {}, error() {} }, "logger: it has no method debug()"],
    ["no error", { debug() {}, info() {}, warn() {} }, "logger: it has no method error()"],
    [
      "a level that is no method",
      { debug: true, info() {}, warn() {}, error() {} },
      "logger: it has no method debug()",
    ],
  ])("throws at start for %s", (_, logger, told) => {
    const make = (): unknown => createWebhookNode({ ...base, logger: logger as Logger });

    expect(make).toThrow(TypeError);
    expect(make).toThrow(told);
  });
});

describe("a sender's text in the log", () => {
  const ESCAPES = "a\r\nwebhook orders: delivered, 200\u001b[2J\u0000\u007f\u0085\u009b31m\u2028\u2029\tb";
  const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/; // oxlint-disable-line no-control-regex -- what must not be in a line

  const source: Source = {
    name: "shop",
    authenticator: () => [new AuthCredentials(), new SimpleUser("a")],
    deliveryId: ({ payload }) => (payload as { id?: string }).id,
  };

  it.each<[string, Partial<WebhookNodeOptions>, string]>([
    ["a delivery id from the payload", { source }, JSON.stringify({ id: ESCAPES })],
    [
      "a detail that repeats the body",
      {
        authenticator: async ({ body }) => {
          throw new HTTPException(401, { detail: await body.text() });
        },
      },
      ESCAPES,
    ],
    [
      "the message of an error that is shown",
      {
        authenticator: async ({ body }) => {
          throw Object.assign(new Error(await body.text()), { status: 422, expose: true });
        },
      },
      ESCAPES,
    ],
  ])("breaks no line and moves no cursor: %s [J4]", async (_, options, body) => {
    const { port, lines } = await serveNode(options);
    await send(port, { body });

    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(CONTROL);
    expect(lines[0]).toContain(
      "a\\u000d\\u000awebhook orders: delivered, 200\\u001b[2J\\u0000\\u007f\\u0085\\u009b31m\\u2028\\u2029\\u0009b",
    );
  });

  // Node's parser lets these octets pass in a field value; read as Latin-1 they are control characters.
  const OCTETS = Buffer.from([0x78, 0x85, 0x9b, 0x33, 0x31, 0x6d, 0x80, 0xff, 0x09, 0x79]).toString("latin1");

  it.each<[string, readonly string[]]>([
    ["Content-Type", [`Content-Type: text/${OCTETS}`]],
    ["its charset", [`Content-Type: application/json; charset="${OCTETS}"`]],
    ["Content-Encoding", ["Content-Type: application/json", `Content-Encoding: ${OCTETS}`]],
  ])("breaks none by octets in a header field: %s [J4]", async (_, fields) => {
    const { port, lines } = await serveNode();
    const connection = await dial(port);
    connection.write(Buffer.from(head([...fields, "Content-Length: 1"]), "latin1"));
    connection.write("1");
    await connection.answered();

    expect(connection.statuses()).toEqual([415]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(CONTROL);
  });

  it("fills no log: a line is cut [J4]", async () => {
    const { port, lines } = await serveNode({ source });
    await send(port, { body: JSON.stringify({ id: "x".repeat(500_000) }) });
    await send(port, { body: JSON.stringify({ id: "\n".repeat(100_000) }) });

    expect(lines.map(({ length }) => length < 7000)).toEqual([true, true]);
  });

  it("is not echoed to the sender in a refusal of the node's own [T15]", async () => {
    const { port } = await serveNode();
    const markup = "text/<script>alert(1)</script>";
    for (const headers of [{ "content-type": markup }, { "content-encoding": markup }]) {
      const answered = await send(port, { headers, body: "1" });

      expect(answered.status).toBe(415);
      expect(answered.text + JSON.stringify(answered.headers)).not.toContain("script");
    }
    expect((await send(port, { body: "<script>" })).text).not.toContain("script");
  });
});
