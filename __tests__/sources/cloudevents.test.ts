/**
 * CloudEvents: the SDK as sender and reader, and the handshake of the specification of webhooks.
 */
import { CloudEvent, HTTP } from "cloudevents";
import { allOf } from "express-webhook-node/authenticate/all-of";
import { HTTPException } from "express-webhook-node/authenticate/http-exception";
import { cloudEvents } from "express-webhook-node/sources/cloudevents";
import { signCloudEvents } from "express-webhook-node/testing/cloudevents";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const TOKEN = "mF_9.B5f-4.1JqM";
const DATA = { order: 7, note: "é" };
const ID = "A234-1234-1234";
const TYPE = "com.github.pull_request.opened";
const attributes = { deliveryId: ID, type: TYPE, source: "https://github.com/cloudevents/spec/pull" };
const EVENT = JSON.parse(signCloudEvents(DATA, attributes).body.toString()) as Record<string, unknown>;
const harmless = ({ original, mutated }: { readonly original: string; readonly mutated: string }): boolean =>
  /^bearer +/i.test(mutated) && mutated.replace(/^bearer +/i, "Bearer ") === original;

const contract = {
  name: "cloudEvents",
  sourceName: "cloudevents",
  source: cloudEvents,
  options: { tokens: [TOKEN] },
  otherKeys: { tokens: ["another"] },
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: ["authorization"],
  covers: "nothing",
  harmless,
} as const;

sourceContract({
  ...contract,
  sign: () => signCloudEvents(DATA, { token: TOKEN, ...attributes }),
  payload: EVENT,
  messages: [{ deliveryId: ID, eventType: TYPE }],
  wrongOptions: [
    ["neither tokens nor anonymous", { tokens: undefined }],
    ["anonymous beside tokens", { anonymous: "accept" }],
    ["anonymous that is no word", { tokens: undefined, anonymous: true }],
    ["no allowed origin", { allowedOrigins: [] }],
    ["an allowed origin in text", { allowedOrigins: "*" }],
    ["an allowed origin that is a URL", { allowedOrigins: ["https://example.com"] }],
    ["an allowed origin with a star in it", { allowedOrigins: ["*.example.com"] }],
    ["a rate that is none", { allowedRatePerMinute: 0 }],
    ["a rate in text", { allowedRatePerMinute: "120" }],
  ],
});

describe("in binary mode", () => {
  sourceContract({
    ...contract,
    sign: (payload) => signCloudEvents(payload, { token: TOKEN, mode: "binary", ...attributes }),
    payload: DATA,
    messages: [{ deliveryId: ID, eventType: TYPE }],
  });
});

describe("in batch mode", () => {
  const [first, second] = [EVENT, { ...EVENT, id: "B1", type: "com.github.pull_request.closed" }];
  sourceContract({
    ...contract,
    sign: () => ({
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/cloudevents-batch+json" },
      body: Buffer.from(JSON.stringify([first, second])),
    }),
    payload: [first, second],
    messages: [
      { deliveryId: ID, eventType: TYPE },
      { deliveryId: "B1", eventType: "com.github.pull_request.closed" },
    ],
  });
});

describe("in structured mode, with a batch", () => {
  it("takes each item for an event, and lets none by that is to be ignored [G1, J4]", async () => {
    const { port, messages } = await serveNode({ source: cloudEvents({ tokens: [TOKEN], ignore: [TYPE] }) });
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/cloudevents+json" };
    const other = { ...EVENT, id: "B1", type: "com.github.pull_request.closed" };

    expect((await send(port, { headers, body: JSON.stringify([EVENT, other]) })).status).toBe(200);
    expect(messages).toMatchObject([{ deliveryId: "B1", payload: other }]);
  });
});

describe("cloudEvents, against cloudevents", () => {
  const source = cloudEvents({ tokens: [TOKEN] });
  const event = new CloudEvent({ id: ID, type: TYPE, source: attributes.source, data: DATA, subject: "a" });
  const authorization = `Bearer ${TOKEN}`;

  it.each(["structured", "binary"] as const)(
    "reads what the library sends in %s mode as it does [B7]",
    async (mode) => {
      const { port, messages } = await serveNode({ source });
      const { headers, body } = HTTP[mode](event);
      const { status } = await send(port, { headers: { ...headers, authorization }, body: body as string });

      expect(status).toBe(200);
      const read = HTTP.toEvent({ headers, body }) as CloudEvent<unknown>;
      expect(messages).toMatchObject([{ deliveryId: read.id, eventType: read.type }]);
      expect(messages).toMatchObject([{ payload: mode === "binary" ? DATA : { data: DATA } }]);
    },
  );

  it.each(["structured", "binary", "batch"] as const)("sends what the library reads in %s mode [B7]", (mode) => {
    const { headers, body } = signCloudEvents(mode === "batch" ? [DATA, 7] : DATA, { mode, ...attributes });
    const events = [HTTP.toEvent({ headers, body: body.toString() })].flat() as CloudEvent<unknown>[];

    expect(events[0]).toMatchObject({ id: ID, type: TYPE, specversion: "1.0", data: DATA });
    expect(events).toHaveLength(mode === "batch" ? 2 : 1);
    // The library does not undo escapes.
    expect(decodeURIComponent(events[0]?.source ?? "")).toBe(attributes.source);
  });
});

describe("cloudEvents", () => {
  const served = (options: object = {}) => serveNode({ source: cloudEvents({ tokens: [TOKEN], ...options }) });
  const post = signCloudEvents(DATA, attributes);

  it("takes a token in the query, as the specification wants, and none that comes twice [B7]", async () => {
    const { port } = await served();
    const status = async (query: string, headers: object = {}) =>
      (await send(port, { path: `/?${query}`, headers: { ...post.headers, ...headers }, body: post.body })).status;

    expect(await status(`access_token=${TOKEN}&p=q`)).toBe(200);
    expect(await status(`p=q&access_token=${TOKEN}`)).toBe(200);
    expect(await status("access_token=another")).toBe(401);
    expect(await status("access_token=")).toBe(401);
    expect(await status(`Access_Token=${TOKEN}`)).toBe(401);
    expect(await status(`access_token=${TOKEN}&access_token=${TOKEN}`)).toBe(401);
    expect(await status(`access_token=another`, { authorization: `Bearer ${TOKEN}` })).toBe(401);
    expect(await status("p=q", { authorization: `Basic ${TOKEN}` })).toBe(401);
    expect(await status("p=q", { authorization: `bearer  ${TOKEN}` })).toBe(200);
  });

  it("asks a function for tokens [B7]", async () => {
    const tokens = async () => [TOKEN];
    const failing = async () => Promise.reject(new Error("the vault is closed"));
    const headers = { ...post.headers, authorization: `Bearer ${TOKEN}` };

    expect((await send((await served({ tokens })).port, { headers, body: post.body })).status).toBe(200);
    expect((await send((await served({ tokens: failing })).port, { headers, body: post.body })).status).toBe(503);
  });

  it("leaves it to another check who may send, only where it is said [B1]", async () => {
    const check = async ({ request }: { request: { headers: object } }) => {
      if (!("x-known" in request.headers)) throw new HTTPException(401, { detail: "Who are you?" });
      return null;
    };
    const open = await serveNode({ source: cloudEvents({ anonymous: "accept" }) });
    const checked = await serveNode({ source: allOf(cloudEvents({ anonymous: "accept" }), check as never) });

    expect((await send(open.port, post)).status).toBe(200);
    expect((await send(checked.port, post)).status).toBe(401);
  });

  it.each([
    ["ce-id", undefined],
    ["ce-source", undefined],
    ["ce-type", ""],
    ["ce-specversion", undefined],
  ])("answers 415 to what is in no mode, for it lacks %s [A2]", async (field, value) => {
    const { port, messages } = await served();
    const { headers, body } = signCloudEvents(DATA, { token: TOKEN, mode: "binary", ...attributes });
    const answered = await send(port, { headers: { ...headers, [field]: value }, body });

    expect(answered.status).toBe(415);
    expect(answered.json.detail).toContain(field);
    expect((await send(port, { headers: { ...headers, [field]: value, authorization: "" }, body })).status).toBe(401);
    expect(messages).toEqual([]);
  });

  it.each([
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%c3%a9", "é"],
    ['"a b"', "a b"],
    ['"a \\"b\\" %25"', 'a "b" %'],
    ["%41", "A"],
    // Not UTF-8: "MUST be rejected".
    ["%C0%A0", undefined],
    ["%", undefined],
  ])("reads the attribute %p as %p in binary mode [G2]", async (field, id) => {
    const { port, messages } = await served();
    const { headers, body } = signCloudEvents(DATA, { token: TOKEN, mode: "binary", ...attributes });

    expect((await send(port, { headers: { ...headers, "ce-id": field }, body })).status).toBe(200);
    expect(messages[0]?.deliveryId).toBe(id);
  });

  it("goes by the media type, whatever the fields say [G2]", async () => {
    const { port, messages } = await served();
    const structured = signCloudEvents(DATA, { token: TOKEN, ...attributes });
    const headers = {
      ...structured.headers,
      "content-type": "Application/CloudEvents+JSON; charset=UTF-8",
      "ce-id": "x",
      "ce-type": "x",
    };

    expect((await send(port, { headers, body: structured.body })).status).toBe(200);
    expect(messages).toMatchObject([{ deliveryId: ID, eventType: TYPE }]);
  });

  describe("handshake", () => {
    const origins = { allowedOrigins: ["eventemitter.example.com"] };
    const ask = async (options: object, headers: Record<string, string | string[]>) => {
      const { port, messages } = await served(options);
      const answered = await send(port, { method: "OPTIONS", headers: { ...headers, "content-type": undefined } });
      expect(messages).toEqual([]);
      return {
        status: answered.status,
        origin: answered.headers["webhook-allowed-origin"],
        rate: answered.headers["webhook-allowed-rate"],
        allow: answered.headers.allow,
      };
    };
    const NOTHING = { origin: undefined, rate: undefined };

    it("grants origins that are allowed, and their rate [B7]", async () => {
      const asked = { "webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120" };
      const granted = { status: 200, origin: "eventemitter.example.com", rate: "*", allow: "POST" };

      expect(await ask(origins, asked)).toEqual(granted);
      expect(await ask({ ...origins, allowedRatePerMinute: 100 }, asked)).toEqual({ ...granted, rate: "100" });
      expect(await ask({ allowedOrigins: ["a.example", "*"] }, asked)).toEqual({ ...granted, origin: "*" });
      const upper = { "webhook-request-origin": "EventEmitter.example.com" };
      expect(await ask(origins, upper)).toEqual({ ...granted, origin: "EventEmitter.example.com" });
    });

    it("grants nothing to any other, and is 405 where no origin is allowed [B7, A1]", async () => {
      for (const origin of [
        "example.com",
        "eventemitter.example.com.example",
        "*",
        "",
        "eventemitter.example.com:80",
      ]) {
        expect(await ask(origins, { "webhook-request-origin": origin })).toMatchObject({ status: 403, ...NOTHING });
      }
      const twice = { "webhook-request-origin": ["eventemitter.example.com", "x.example"] };
      expect(await ask(origins, twice)).toMatchObject({ status: 403, ...NOTHING });
      const asked = { "webhook-request-origin": "eventemitter.example.com" };
      expect(await ask({}, asked)).toMatchObject({ status: 405, ...NOTHING });
      expect(await ask(origins, {})).toMatchObject({ status: 405, ...NOTHING });
    });

    it("never fetches a callback [B7]", async () => {
      const fetch = jest.spyOn(globalThis, "fetch");
      await ask(origins, {
        "webhook-request-origin": "eventemitter.example.com",
        "webhook-request-callback": "https://example.com/confirm?id=12345",
      });

      expect(fetch).not.toHaveBeenCalled();
      fetch.mockRestore();
    });

    it("lets nobody in who was granted [B7]", async () => {
      const { port } = await served(origins);
      const headers = { ...post.headers, "webhook-request-origin": "eventemitter.example.com" };

      expect((await send(port, { headers, body: post.body })).status).toBe(401);
    });
  });
});
