/**
 * Options, of the steps and of a node: none is wrong in silence, and all are read once.
 */
import {
  admission,
  authenticate,
  begin,
  contentTypeGate,
  createWebhookNode,
  decompress,
  emit,
  memoryDeduplication,
  messageTypeGate,
  problem,
  methodGate,
  type Logger,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { OPTION_WORDS } from "express-webhook-node/request/options";
import { CONTEXT_WORDS } from "express-webhook-node/tenant/context";
import { CODE, recordingLogger, send, serve } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const emitter = async (): Promise<void> => {};
const logger: Logger = recordingLogger([]);
const node = (options: object): unknown => createWebhookNode({ anonymous: "accept", emitter, logger, ...options });

/** Each step that takes options, by its name. */
const STEPS: Record<string, (options?: object) => unknown> = {
  begin: (options) => begin(options),
  methodGate: (options) => methodGate(options),
  contentTypeGate: (options) => contentTypeGate(options),
  admission: (options) => admission(options),
  decompress: (options) => decompress(options),
  authenticate: (options) => authenticate({ anonymous: "accept", ...options }),
  emit: (options) => emit({ emitter, ...options }),
  messageTypeGate: (options) => messageTypeGate(options),
  problem: (options) => problem(options),
};

const NO_POSITIVE_INTEGERS = [
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  "1000",
  "1mb",
  true,
  null,
  {},
  [],
];
const NO_TEXTS = ["", 7, true, null, {}, ["a"], () => "a"];
const NO_FUNCTIONS = ["a", "", 7, 0, true, false, null, {}, []];

/** What each option cannot be. */
const WRONG: readonly (readonly [step: string, word: string, values: readonly unknown[]])[] = [
  ["begin", "name", NO_TEXTS],
  ["begin", "logger", [null, "console", {}, { debug() {}, info() {}, warn() {} }]],
  ["begin", "deadlineMs", [...NO_POSITIVE_INTEGERS, 2_147_483_648]],
  ["methodGate", "methods", [[], "POST", null, {}, ["post"], ["POST "], [""], [7], [undefined], ["POST", "p"]]],
  [
    "contentTypeGate",
    "mediaTypes",
    ["text/json", null, {}, ["no-such-extension"], [".no-such-extension"], ["text/*"], ["a/b c"], [7], [""]],
  ],
  ["admission", "maxInFlightBytes", NO_POSITIVE_INTEGERS],
  ["admission", "resumeInFlightBytes", [...NO_POSITIVE_INTEGERS, 134_217_728, 134_217_729]],
  ["decompress", "maxBytes", NO_POSITIVE_INTEGERS],
  ["decompress", "maxEncodedBytes", NO_POSITIVE_INTEGERS],
  ["decompress", "maxDepth", NO_POSITIVE_INTEGERS],
  ["decompress", "codings", ["gzip", null, {}, ["compress"], ["GZIP"], ["constructor"], [7], [undefined], [""]]],
  ["authenticate", "anonymous", ["yes", "", true, null, 7]],
  ["authenticate", "enforcement", ["off", "", true, null, 7]],
  ["authenticate", "diagnose", ["yes", 7, null, [], { otherSecrets: { test: "" } }, { other: {} }]],
  ["authenticate", "authenticator", NO_FUNCTIONS],
  ["authenticate", "source", [...NO_FUNCTIONS, () => {}, { name: "a" }, { authenticator: () => null }]],
  ["emit", "emitter", [...NO_FUNCTIONS, undefined]],
  ["emit", "deadLetter", NO_FUNCTIONS],
  ["emit", "deduplicate", ["memory", true, null, 7, []]],
  ["emit", "status", [199, 300, 404, 200.5, Number.NaN, "200", true, null, {}]],
  ["emit", "respond", NO_FUNCTIONS],
  ["emit", "groupId", ["", 7, true, null, {}, []]],
  ["emit", "messageType", NO_TEXTS],
  ["emit", "onInvalid", ["skip", "", true, null, 7]],
  ["messageTypeGate", "mediaTypeMismatch", ["skip", "", true, null, 7]],
  ["problem", "quarantine", ["./folder", true, null, 7, {}, []]],
  ["emit", "fields", ["x-a", null, {}, [7], [""], [undefined]]],
  ["emit", "maxMessages", NO_POSITIVE_INTEGERS],
  ["emit", "split", ["yes", "", 7, null, {}, []]],
];

const wrong = WRONG.flatMap(([step, word, values]) =>
  values.map((value) => ({ step, word, value, options: { [word]: value } })),
);

describe("a wrong option", () => {
  it.each(wrong)("throws at start, and is named: $step $word $value", ({ step, word, options }) => {
    for (const make of [STEPS[step]!, node]) {
      expect(() => make(options)).toThrow(TypeError);
      expect(() => make(options)).toThrow(new RegExp(String.raw`\b${word}\b`));
    }
  });

  it("is tried here for every word that there is", () => {
    const tried = new Set([...WRONG.map(([, word]) => word), ...CONTEXT_WORDS]);
    const internal = ["audit", "context", "events"];

    expect(OPTION_WORDS.filter((word) => !tried.has(word) && !internal.includes(word))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "POST"],
    ["a list", []],
    ["a function", () => {}],
  ])("is %s in the place of all", (_, options) => {
    expect(() => createWebhookNode(options as WebhookNodeOptions)).toThrow(
      new TypeError("createWebhookNode: the options must be one object."),
    );
    expect(() => emit(options as never)).toThrow(new TypeError("emit: the options must be one object."));
    expect(() => authenticate(options as never)).toThrow(
      new TypeError("authenticate: the options must be one object."),
    );
  });
});

describe("a long deadline", () => {
  it("needs a longer lease only where there is deduplication", () => {
    const store = memoryDeduplication();
    expect(() => node({ deadlineMs: 60_000 })).not.toThrow();
    expect(() => node({ deadlineMs: 60_000, deduplicate: { store, leaseSeconds: 61 } })).not.toThrow();
    expect(() => node({ deadlineMs: 60_000, deduplicate: { store } })).toThrow(
      new TypeError("leaseSeconds: 60 is not longer than deadlineMs (60000)."),
    );
  });
});

describe("a list of emitters", () => {
  it.each(["emitter", "deadLetter"])("is told of fanOut where %s is one", (word) => {
    expect(() => node({ [word]: [emitter, emitter] })).toThrow(
      new TypeError(`${word}: an array is not a function; fanOut(a, b) makes one emitter of several.`),
    );
  });
});

describe("an unknown word", () => {
  it.each([
    ["authenticater", "authenticator"],
    ["authentication", "authenticator"],
    ["maxByte", "maxBytes"],
    ["maxbytes", "maxBytes"],
    ["deadLineMs", "deadlineMs"],
    ["deadline", "deadlineMs"],
    ["emiter", "emitter"],
    ["method", "methods"],
    ["mediatypes", "mediaTypes"],
    ["maxEncodedByte", "maxEncodedBytes"],
    ["annonymous", "anonymous"],
    ["sources", "source"],
    ["groupID", "groupId"],
    ["deadletter", "deadLetter"],
    ["responds", "respond"],
    ["log", "logger"],
    ["Name", "name"],
    ["loggingLevels", "loggingLevel"],
    ["confg", "config"],
  ])("throws at start, and the right one is named: %s", (word, meant) => {
    const told = `createWebhookNode: there is no option ${JSON.stringify(word)}. Did you mean ${meant}?`;

    // A word may be told apart in words of its own; that it is refused and mended is what counts.
    expect(() => node({ [word]: 1 })).toThrow(TypeError);
    if (word !== "log") expect(() => node({ [word]: 1 })).toThrow(told);
  });

  it("like no other throws with the list of those that there are", () => {
    expect(() => node({ concurrency: 1 })).toThrow(
      /^createWebhookNode: there is no option "concurrency"\. There are: .*emitter/,
    );
    expect(() => node({ limit: "1mb" })).toThrow(TypeError);
    expect(() => node({ verify: () => {} })).toThrow(TypeError);
  });

  it.each(["context", "events"])("%s is one for a node, which makes its own", (word) => {
    expect(() => node({ [word]: {} })).toThrow(new RegExp(`^createWebhookNode: there is no option "${word}"`));
  });

  it.each(Object.keys(STEPS))("throws for a step alone, too: %s", (step) => {
    expect(() => STEPS[step]!({ maxByte: 1 })).toThrow(
      new TypeError(`${step}: there is no option "maxByte". Did you mean maxBytes?`),
    );
  });

  it("with undefined is unknown all the same", () => {
    expect(() => node({ maxByte: undefined })).toThrow(TypeError);
  });

  it("of a prototype is no option", () => {
    expect(() => node(Object.assign(Object.create({ maxByte: 1 }) as object, { name: "a" }))).not.toThrow();
  });
});

describe("undefined", () => {
  it("is absent, for each option", async () => {
    const messages: Message[] = [];
    const words = [...OPTION_WORDS, ...CONTEXT_WORDS].filter((word) => !["audit", "context", "events"].includes(word));
    const options = {
      ...Object.fromEntries(words.map((word) => [word, undefined])),
      anonymous: "accept",
      emitter: async (message: Message) => void messages.push(message),
    } as WebhookNodeOptions;
    const { port } = await serve(createWebhookNode(options));
    const answered = await send(port, { headers: { "content-encoding": "br" }, body: CODE.br("1") });

    expect([answered.status, answered.json]).toEqual([200, { trackingId: messages[0]!.trackingId }]);
    expect(messages[0]).toMatchObject({ node: "webhook", messageType: "echo.json", fields: {} });
    expect(messages[0]).not.toHaveProperty("groupId");
    jest.spyOn(console, "warn").mockImplementation(() => {});
    expect((await send(port, { method: "PUT" })).headers.allow).toBe("POST");
    expect((await send(port, { body: "[".repeat(129) + "]".repeat(129) })).json.code).toBe("ERR_WEBHOOK_JSON_DEPTH");
    jest.restoreAllMocks();
  });
});

describe("options", () => {
  it("are read once: what is changed later changes nothing", async () => {
    const first: Message[] = [];
    const second: Message[] = [];
    const methods = ["POST"];
    const mediaTypes = ["text/json"];
    const codings: ("br" | "gzip")[] = ["gzip"];
    const fields = ["x-a"];
    const config = { token: "t" };
    const options: Record<string, unknown> = {
      name: "first",
      authenticator: () => null,
      anonymous: "accept",
      emitter: async (message: Message) => void first.push(message),
      status: 201,
      respond: () => "first",
      groupId: "first",
      messageType: { name: "first.type" },
      maxBytes: 100,
      maxDepth: 10,
      deadlineMs: 5000,
      methods,
      mediaTypes,
      codings,
      fields,
      config,
      logger: recordingLogger([]),
    };
    const made = createWebhookNode(options as unknown as WebhookNodeOptions);
    const { port } = await serve(made);
    const noLogger = (): never => {
      throw new Error("not this one");
    };
    Object.assign(options, {
      name: "second",
      authenticator: () => {
        throw new Error("not this one");
      },
      anonymous: "reject",
      emitter: async (message: Message) => void second.push(message),
      status: 202,
      respond: () => "second",
      groupId: "second",
      messageType: "second.type",
      maxBytes: 1,
      maxDepth: 1,
      deadlineMs: 1,
      logger: { debug: noLogger, info: noLogger, warn: noLogger, error: noLogger },
    });
    methods.push("PUT");
    mediaTypes.push("text/plain");
    codings.push("br");
    fields.push("authorization");
    config.token = "u";

    const answered = await send(port, { headers: { "x-a": "1", authorization: "hunter2" }, body: "[[1]]" });
    expect([answered.status, answered.json]).toEqual([201, "first"]);
    expect(second).toEqual([]);
    expect(first[0]).toMatchObject({
      node: "first",
      groupId: "first",
      messageType: "first.type",
      fields: { "x-a": "1" },
    });
    expect(first[0]!.fields).not.toHaveProperty("authorization");
    expect(made.context.config).toEqual({ token: "t" });
    expect((await send(port, { method: "PUT", body: "1" })).status).toBe(405);
    expect((await send(port, { headers: { "content-type": "text/plain" }, body: "1" })).status).toBe(415);
    expect((await send(port, { headers: { "content-type": "text/json" }, body: "1" })).status).toBe(201);
    expect((await send(port, { headers: { "content-encoding": "br" }, body: CODE.br("1") })).status).toBe(415);
    expect((await send(port, { headers: { "content-encoding": "gzip" }, body: CODE.gzip("1") })).status).toBe(201);
  });

  it("are left as they were", () => {
    const options: WebhookNodeOptions = Object.freeze({
      anonymous: "accept",
      emitter,
      logger,
      methods: Object.freeze(["POST", "PUT"]),
      mediaTypes: Object.freeze([".geojson", "text/json"]),
      codings: Object.freeze(["gzip"] as const),
      fields: Object.freeze(["X-A"]),
      config: Object.freeze({ a: 1 }),
    });
    const before = JSON.stringify(options);
    createWebhookNode(options);

    expect(JSON.stringify(options)).toBe(before);
  });

  it("may serve several nodes", async () => {
    const options: WebhookNodeOptions = { anonymous: "accept", emitter, logger };
    const nodes = [createWebhookNode(options), createWebhookNode(options)];
    await nodes[0]!.drain();
    const ports = await Promise.all(nodes.map(async (one) => (await serve(one)).port));
    const statuses = await Promise.all(ports.map(async (port) => (await send(port, { body: "1" })).status));

    expect(statuses).toEqual([503, 200]);
  });
});

describe("methods", () => {
  it("let through what they name, and Allow tells of all [A1]", async () => {
    const { port } = await serve(createWebhookNode({ anonymous: "accept", emitter, logger, methods: ["POST", "PUT"] }));

    expect((await send(port, { method: "PUT", body: "1" })).status).toBe(200);
    expect((await send(port, { method: "POST", body: "1" })).status).toBe(200);
    expect((await send(port, { method: "PATCH", body: "1" })).headers.allow).toBe("POST, PUT");
  });
});
