/**
 * The message that a delivery becomes.
 */
import crypto from "node:crypto";
import type { IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import { AuthCredentials, SimpleUser, type Message, type Source } from "express-webhook-node";
import { makeMessage, type MessageParts } from "express-webhook-node/emit/message";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const ALWAYS = [
  "body",
  "contentType",
  "fields",
  "key",
  "mediaType",
  "messageType",
  "node",
  "octets",
  "payload",
  "receivedAt",
  "trackingId",
];

/** Delivers one body to a node and returns its message. */
async function messageOf(options: object, headers: object = {}, body: string | Buffer = '{"a":1}'): Promise<Message> {
  const { port, messages } = await serveNode(options);
  const { status } = await send(port, { headers: headers as Record<string, string>, body });
  expect(status).toBe(200);
  return messages[0]!;
}

const source: Source = {
  name: "shop",
  authenticator: () => [new AuthCredentials(["push"]), new SimpleUser("the shop")],
  deliveryId: ({ request }) => request.headers["x-id"] as string | undefined,
  eventType: ({ payload }) => (payload as { type?: string }).type,
  provenance: { deliveryId: "unsigned", eventType: "signed" },
};

describe("a message", () => {
  it("of an anonymous sender has these members, and no other [G1]", async () => {
    const message = await messageOf({});

    expect(Object.keys(message).sort()).toEqual(ALWAYS);
    expect(message).toEqual({
      trackingId: expect.stringMatching(/^[0-9a-f]{32}$/),
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
      node: "webhook",
      body: '{"a":1}',
      octets: Buffer.from('{"a":1}'),
      payload: { a: 1 },
      messageType: "echo.json",
      receivedAt: expect.any(Date),
      fields: {},
      mediaType: "application/json",
      contentType: "application/json",
    });
  });

  it("of a source, with a group, has these besides [G1, G2]", async () => {
    const options = { source, name: "orders", groupId: "g", messageType: { name: "own.order" }, fields: ["X-Region"] };
    const headers = { "x-id": "d-1", "x-region": "eu", "content-type": "Application/Vnd.Shop+JSON; charset=UTF-8" };
    const message = await messageOf(options, headers, '{"type":"created"}');

    expect(Object.keys(message).sort()).toEqual(
      [...ALWAYS, "source", "provenance", "sender", "deliveryId", "eventType", "groupId"].sort(),
    );
    expect(message).toMatchObject({
      node: "orders",
      source: "shop",
      provenance: { deliveryId: "unsigned", eventType: "signed" },
      sender: { name: "the shop", scopes: ["push"] },
      deliveryId: "d-1",
      eventType: "created",
      groupId: "g",
      messageType: "own.order",
      mediaType: "application/vnd.shop+json",
      contentType: "Application/Vnd.Shop+JSON; charset=UTF-8",
      fields: { "x-region": "eu" },
    });
  });

  it("has no member that is undefined [G1]", async () => {
    for (const options of [{}, { source }, { source: { name: "a", authenticator: source.authenticator } }]) {
      expect(Object.values(await messageOf(options))).not.toContain(undefined);
    }
  });

  it("is frozen, but for its payload [G1]", async () => {
    const message = await messageOf({ source, fields: ["x-id"] }, { "x-id": "1" });

    for (const part of [message, message.fields, message.sender, message.sender!.scopes, message.provenance]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(() => Object.assign(message, { payload: 2 })).toThrow(TypeError);
    (message.payload as { a: number }).a = 2;
    expect(message.payload).toEqual({ a: 2 });
  });

  it("leaves the source's own object as it was [G1]", async () => {
    const provenance = { deliveryId: "signed" as const };
    await messageOf({ source: { ...source, provenance } });

    expect(Object.isFrozen(provenance)).toBe(false);
  });

  it("has octets with codings undone, and the text without a byte order mark [G1]", async () => {
    const octets = Buffer.from("\uFEFF{}");
    const message = await messageOf({}, { "content-encoding": "gzip" }, gzipSync(octets));

    expect(message.octets).toEqual(octets);
    expect(message.body).toBe("{}");
  });

  it("has text exactly as received [G1]", async () => {
    const body = ' {"a" : 1.0, "b":"\\u00e9", "a":2}\r\n';

    expect((await messageOf({}, {}, body)).body).toBe(body);
  });

  it("was received when the first step saw it [G2]", async () => {
    const before = Date.now();
    const { receivedAt } = await messageOf({});

    expect(receivedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(receivedAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    ["unless told otherwise", {}, "echo.json"],
    ["where it is undefined", { messageType: undefined }, "echo.json"],
    ["as the option says", { messageType: { name: "shop.order" } }, "shop.order"],
  ])("has a type, %s [A4]", async (_, options, messageType) => {
    expect((await messageOf(options)).messageType).toBe(messageType);
  });

  it.each<[string, unknown, string | undefined]>([
    ["none", undefined, undefined],
    ["one text", "all", "all"],
    ["told from the message", (message: Message) => (message.payload as { a: number }).a.toString(), "1"],
    ["told from its other members", ({ node, trackingId }: Message) => node + trackingId.length, "webhook32"],
    ["undefined for this one", () => undefined, undefined],
  ])("has a group: %s [G1]", async (_, groupId, expected) => {
    const message = await messageOf({ groupId });

    expect(message.groupId).toBe(expected);
    expect("groupId" in message).toBe(expected !== undefined);
  });
});

describe("the fields of a message", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("hold trace context, unasked [G2]", async () => {
    const { fields } = await messageOf({}, { traceparent, tracestate: "a=1,b=2" });

    expect(fields).toEqual({ traceparent, tracestate: "a=1,b=2" });
  });

  it("never hold Authorization, Cookie or others unasked [G2]", async () => {
    const sent = {
      authorization: "Bearer hunter2",
      cookie: "sid=hunter2",
      "proxy-authorization": "hunter2",
      "x-a": "hunter2",
    };
    const message = await messageOf({ source, fields: ["x-b"] }, sent);

    expect(message.fields).toEqual({});
    expect(JSON.stringify(message)).not.toContain("hunter2");
  });

  it("hold those that are asked for, by any case, where they came [G2]", async () => {
    const sent = { authorization: "Basic YTpi", cookie: "a=1; b=2", "x-a": "1" };
    const { fields } = await messageOf({ fields: ["Authorization", "COOKIE", "x-a", "X-A", "x-missing"] }, sent);

    expect(fields).toEqual({ authorization: "Basic YTpi", cookie: "a=1; b=2", "x-a": "1" });
  });

  it("hold several lines of one field as one, joined [G2]", async () => {
    const { fields } = await messageOf(
      { fields: ["x-a", "set-cookie"] },
      { "x-a": ["1", "2"], "set-cookie": ["a", "b"] },
    );

    expect(fields).toEqual({ "x-a": "1, 2", "set-cookie": "a, b" });
  });

  it("hold nothing of what objects have by nature [G2, T11]", async () => {
    const { fields } = await messageOf({ fields: ["constructor", "__proto__", "toString"] });

    expect(Object.keys(fields)).toEqual([]);
  });
});

describe("the key of a message", () => {
  const request = { headers: { "content-type": "application/json" }, rawHeaders: [] } as unknown as IncomingMessage;

  function partsOf(
    parts: Partial<MessageParts> & { readonly deliveryId?: string; readonly sourceName?: string } = {},
  ): MessageParts {
    const { deliveryId, sourceName = "shop", ...others } = parts;
    return {
      node: "orders",
      request,
      receivedAt: new Date(0),
      contentType: { mediaType: "application/json" },
      octets: Buffer.from("{}"),
      body: "{}",
      payload: {},
      isUnverified: false,
      sender: undefined,
      source: { name: sourceName, deliveryId: () => deliveryId },
      messageType: "echo.json",
      fields: [],
      ...others,
    };
  }

  const id = { deliveryId: "d-1" };

  it("is the same for the same node, source, delivery id and octets, whatever else differs [G1]", () => {
    const key = makeMessage(partsOf(id)).key;

    expect(key).toMatch(/^[0-9a-f]{64}$/);
    for (const parts of [
      {},
      { receivedAt: new Date() },
      { messageType: "other" },
      { sender: { name: "x", scopes: [] } },
      { payload: 1 },
    ]) {
      expect(makeMessage(partsOf({ ...id, ...parts })).key).toBe(key);
    }
  });

  it.each<[string, Parameters<typeof partsOf>[0]]>([
    ["node", { ...id, node: "orders2" }],
    ["source", { ...id, sourceName: "shop2" }],
    ["delivery id", { deliveryId: "d-2" }],
    ["octets", { ...id, octets: Buffer.from("{} ") }],
    ["item", { ...id, item: { of: "a", index: 0 } }],
    ["absence of a source", { ...id, source: undefined }],
    ["border between node and source", { ...id, node: "orderss", sourceName: "hop" }],
    ["border between id and octets", { deliveryId: "d-", octets: Buffer.from("1{}") }],
    ["id that holds a line feed and octets", { deliveryId: "d-1\n{}", octets: Buffer.alloc(0) }],
  ])("differs with another %s [G1]", (_, parts) => {
    expect(makeMessage(partsOf(parts)).key).not.toBe(makeMessage(partsOf(id)).key);
  });

  it("differs from item to item of one delivery [G1]", () => {
    const keys = [0, 1, 2].map((index) => makeMessage(partsOf({ ...id, item: { of: "a", index } })).key);

    expect(new Set(keys).size).toBe(3);
  });

  it("is its own for a delivery without an id: nothing good is lost to a likeness [G1]", () => {
    const keys = Array.from({ length: 100 }, () => makeMessage(partsOf()).key);
    const message = makeMessage(partsOf());

    expect(new Set(keys).size).toBe(100);
    expect(message.key).toBe(message.key);
    // Nobody can make a delivery whose id passes for one without.
    expect(makeMessage(partsOf({ deliveryId: message.trackingId })).key).not.toBe(message.key);
  });

  it("is computed when it is first read, and once [G1]", () => {
    const hash = jest.spyOn(crypto, "createHash");
    const message = makeMessage(partsOf(id));
    expect(hash).not.toHaveBeenCalled();
    const { key } = message;

    expect(message.key).toBe(key);
    expect({ ...message }.key).toBe(key);
    expect(JSON.parse(JSON.stringify(message))).toHaveProperty("key", key);
    expect(hash).toHaveBeenCalledTimes(1);
    hash.mockRestore();
  });

  it("is the same for a delivery that is sent again, over HTTP [G1]", async () => {
    const { port, messages } = await serveNode({ source });
    for (const sent of ["1", "1", "2", undefined, undefined])
      await send(port, { headers: { "x-id": sent }, body: "{}" });
    const [first, again, other, none, neither] = messages.map(({ key }) => key);

    expect(again).toBe(first);
    expect(new Set([first, other, none, neither]).size).toBe(4);
    expect(new Set(messages.map(({ trackingId }) => trackingId)).size).toBe(5);
  });
});
