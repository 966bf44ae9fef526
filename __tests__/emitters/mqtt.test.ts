/**
 * The emitter for MQTT 5, on a real broker, and with clients that fail.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { attributesOf } from "express-webhook-node/emit/attributes";
import {
  type MqttClientLike,
  type MqttEmitterOptions,
  type MqttPacket,
  mqttEmitter,
} from "express-webhook-node/emit/mqtt";
import { type IPublishPacket, type MqttClient, connectAsync } from "mqtt";
import type { generate as generatePacket } from "mqtt-packet";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const PORT = 1883;
const ATTRIBUTES =
  "specversion id source type time trackingid messagetype deliveryid sender partitionkey traceparent tracestate".split(
    " ",
  );

const connected = (options: object = {}): Promise<MqttClient> =>
  connectAsync(`mqtt://127.0.0.1:${PORT}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });

/** A topic of its own, with one subscriber. */
class Opening {
  readonly topic = `${unique}/${randomBytes(4).toString("hex")}`;
  readonly packets: IPublishPacket[] = [];
  client!: MqttClient;
  subscriber!: MqttClient;

  async open(): Promise<this> {
    this.client = await connected();
    this.subscriber = await connected();
    this.subscriber.on("message", (_, __, packet) => void this.packets.push(packet));
    await this.subscriber.subscribeAsync(`${this.topic}/#`, { qos: 2 });
    return this;
  }

  async received(count: number): Promise<readonly Received[]> {
    await until(() => this.packets.length >= count);
    return this.packets.map(told);
  }

  async close(): Promise<void> {
    await Promise.all([this.client.endAsync(true), this.subscriber.endAsync(true)]);
  }
}

function told({ payload, properties }: IPublishPacket): Received {
  const all = Object.entries({ ...properties?.userProperties }).map(([name, value]) => [name, String(value)] as const);
  return {
    octets: Buffer.from(payload),
    contentType: properties?.contentType,
    attributes: Object.fromEntries(all.filter(([name]) => ATTRIBUTES.includes(name))),
    fields: Object.fromEntries(all.filter(([name]) => !ATTRIBUTES.includes(name) || name.startsWith("trace"))),
  };
}

for (const qos of [1, 2] as const) {
  emitterContract({
    name: `mqttEmitter (QoS ${qos})`,
    describe: describeWith("MQTT", PORT),
    open: async () => {
      const opening = await new Opening().open();
      const { client, topic } = opening;
      return {
        emitter: mqttEmitter({ client, topic: `${topic}/new`, qos }),
        received: (count) => opening.received(count),
        close: () => opening.close(),
      };
    },
    isDeduplicated: false,
    isOrdered: true,
    isBinary: true,
  });
}

describeWith("MQTT", PORT)("mqttEmitter, with the broker's answers", () => {
  const opened: Opening[] = [];
  const opening = async (): Promise<Opening> => {
    const one = await new Opening().open();
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it("publishes to the topic that a function makes of the message", async () => {
    const { client, topic, packets } = await opening();
    await mqttEmitter({ client, topic: ({ eventType }) => `${topic}/${eventType}` })(messageOf(), contextOf());

    await until(() => packets.length > 0);
    expect(packets[0]?.topic).toBe(`${topic}/order.created`);
  });

  it("answers 503 where nobody subscribes, unless told otherwise [J1]", async () => {
    const { client } = await opening();
    const topic = `${unique}/none`;
    const { port, lines } = await serveNode({ emitter: mqttEmitter({ client, topic }) });

    expect((await send(port, { body: "7" })).status).toBe(503);
    expect(lines.join("\n")).toContain(`nobody subscribes to ${topic}`);
    await mqttEmitter({ client, topic, withoutSubscribers: "accept" })(messageOf(), contextOf());
  });

  it("tells what was heard from what was not, of many at once [J1]", async () => {
    const { client, topic } = await opening();
    const emitter = mqttEmitter({
      client,
      topic: ({ body }) => (body === "1" ? topic : `${unique}/none`),
      maxInFlight: 20,
    });
    const bodies = Array.from({ length: 100 }, () => String(Math.round(Math.random())));
    const settled = await Promise.allSettled(bodies.map((body) => emitter(messageOf({ body }), contextOf())));

    expect(settled.map(({ status }) => (status === "fulfilled" ? "1" : "0"))).toEqual(bodies);
  });

  it("knows the octets of a packet [G1]", async () => {
    const { client, topic } = await opening();
    const { generate } = createRequire(require.resolve("mqtt"))("mqtt-packet") as { generate: typeof generatePacket };
    const sizes: number[] = [];
    client.on("packetsend", (packet) => {
      if (packet.cmd === "publish") sizes.push(generate(packet, { protocolVersion: 5 }).length);
    });
    const limited = Object.assign(Object.create(client) as MqttClient, {
      connackPacket: undefined as object | undefined,
    });
    const emitter = mqttEmitter({ client: limited, topic });

    for (const length of [7, 20_000, 2_200_000]) {
      const message = messageOf({ body: "7".repeat(length) });
      await emitter(message, contextOf());
      // Three octets are kept for a topic alias.
      const size = (sizes.at(-1) as number) + 3;
      Object.assign(limited, { connackPacket: { properties: { maximumPacketSize: size } } });
      await emitter(message, contextOf());
      Object.assign(limited, { connackPacket: { properties: { maximumPacketSize: size - 1 } } });
      await expect(emitter(message, contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
      Object.assign(limited, { connackPacket: undefined });
    }
    expect(sizes).toHaveLength(6);
  });

  it("is busy at once while it is not connected, and the client keeps nothing [J1]", async () => {
    const { client, topic } = await opening();
    const emitter = mqttEmitter({ client, topic });
    await emitter(messageOf(), contextOf());
    client.stream.destroy();
    await until(() => !client.connected);

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError", retryAfterSeconds: 1 });
    expect(Object.keys(client.outgoing)).toEqual([]);
    expect(client.queue).toEqual([]);
    const { port } = await serveNode({ emitter });
    expect((await send(port, { body: "7" })).status).toBe(503);
  });

  it("confirms what was on its way when the connection broke once it is sent again: at least once [J1]", async () => {
    const { topic, packets } = await opening();
    const client = await connected({ reconnectPeriod: 20 });
    const emitter = mqttEmitter({ client, topic });
    client.once("packetsend", () => client.stream.destroy());
    const message = messageOf();
    await emitter(message, contextOf());

    await until(() => packets.length > 0);
    expect(packets.map(({ payload }) => String(payload))).toEqual(packets.map(() => message.body));
    await client.endAsync(true);
  });

  it("lets no sender set an attribute", async () => {
    const { client, topic, packets } = await opening();
    const fields = { id: "mine", sender: "mine", "x-ok": "ÿ", "x-broken": "a\0", "x-long": "x".repeat(70_000) };
    const { sender: _, ...message } = messageOf({ fields, contentType: `application/json; x=${"x".repeat(70_000)}` });
    await mqttEmitter({ client, topic })(message, contextOf());

    await until(() => packets.length > 0);
    expect(packets[0]?.properties?.contentType).toBe("application/json");
    expect(packets[0]?.properties?.userProperties).toEqual({ ...attributesOf(message), "x-ok": "ÿ" });
  });

  it("throws at start for a client of MQTT 3.1.1", async () => {
    const client = await connected({ protocolVersion: 4 });
    expect(() => mqttEmitter({ client, topic: "a" })).toThrow("connect it with protocolVersion: 5");
    await client.endAsync(true);
  });
});

describe("mqttEmitter", () => {
  type Publish = MqttClientLike["publishAsync"];
  const fake = (publishAsync: Publish, given: object = {}): MqttEmitterOptions & { client: MqttClientLike } => ({
    client: { connected: true, options: { protocolVersion: 5 }, on: () => {}, publishAsync, ...given },
    topic: "orders/new",
  });

  it("publishes octets and properties with QoS 1, or 2 [G1]", async () => {
    const publish = jest.fn<Promise<unknown>, Parameters<Publish>>(async () => undefined);
    const message = messageOf();
    await mqttEmitter(fake(publish))(message, contextOf());
    await mqttEmitter({ ...fake(publish), qos: 2 })(message, contextOf());

    expect(publish.mock.calls.map(([topic, octets, { qos }]) => [topic, octets, qos])).toEqual([
      ["orders/new", message.octets, 1],
      ["orders/new", message.octets, 2],
    ]);
  });

  it("has no more in flight than maxInFlight, and gives up what waits and what hangs [J1]", async () => {
    const publish = jest.fn(() => new Promise<unknown>(() => {}));
    const emitter = mqttEmitter({ ...fake(publish), maxInFlight: 3, timeoutMs: 50 });
    const settled = await Promise.allSettled(Array.from({ length: 9 }, () => emitter(messageOf(), contextOf())));

    expect(settled.every(({ status, ...it }) => status === "rejected" && "reason" in it)).toBe(true);
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(publish).toHaveBeenCalledTimes(3);
  });

  it("is busy for those that waited while the client was cut off [J1]", async () => {
    let confirm = (_: unknown): void => {};
    const options = fake(() => new Promise((resolve) => (confirm = resolve)));
    const client = { ...options.client, connected: true };
    const emitter = mqttEmitter({ ...options, client, maxInFlight: 1 });
    const first = emitter(messageOf(), contextOf());
    const second = emitter(messageOf(), contextOf());
    await new Promise(setImmediate);
    client.connected = false;
    confirm(undefined);

    await first;
    await expect(second).rejects.toMatchObject({ name: "BusyError" });
  });

  it.each([
    [0x95, { code: "ERR_WEBHOOK_BODY_TOO_LARGE" }],
    [0x97, { name: "BusyError" }],
    [0x87, { code: 0x87 }],
  ])("rejects for the broker's reason code %d", async (code, expected) => {
    const emitter = mqttEmitter(fake(async () => Promise.reject(Object.assign(new Error("no"), { code }))));
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject(expected);
  });

  it("counts what the broker said of an id last", async () => {
    let hear = (_: MqttPacket): void => {};
    const on = jest.fn((_: string, listener: typeof hear) => (hear = listener));
    const options = fake(async () => ({ messageId: 7 }), { on });
    const emitters = [mqttEmitter(options), mqttEmitter({ ...options, qos: 2 })];
    expect(on).toHaveBeenCalledTimes(1);

    for (const emitter of emitters) {
      hear({ cmd: "pubrec", messageId: 7, reasonCode: 0x10 });
      hear({ cmd: "pubcomp", messageId: 7, reasonCode: 0 });
      await expect(emitter(messageOf(), contextOf())).rejects.toThrow("nobody subscribes");
      hear({ cmd: "puback", messageId: 7 });
      await emitter(messageOf(), contextOf());
    }
  });

  it("asks for no more than the broker's Maximum QoS", async () => {
    const options = fake(async () => undefined, { connackPacket: { properties: { maximumQoS: 1 } } });
    await mqttEmitter(options)(messageOf(), contextOf());
    await expect(mqttEmitter({ ...options, qos: 2 })(messageOf(), contextOf())).rejects.toThrow("takes QoS 1 at most");
  });

  it.each(["", "a/#", "a/+/b", "a\0", "\ud800", "x".repeat(70_000)])("refuses a topic such as %j", async (topic) => {
    const options = fake(async () => undefined);
    expect(() => mqttEmitter({ ...options, topic })).toThrow(TypeError);
    const emitted = mqttEmitter({ ...options, topic: () => topic })(messageOf(), contextOf());
    await expect(emitted).rejects.toThrow("topic: the function returned");
  });

  it.each([
    [{ client: {} }, /client: an object has no publishAsync/],
    [{ client: undefined }, /client: undefined/],
    [fake(async () => undefined, { options: {} }), /protocolVersion: 5/],
    [{ topic: 7 }, /topic: 7/],
    [{ qos: 0 }, /qos: 0 is neither 1 nor 2/],
    [{ withoutSubscribers: "ignore" }, /withoutSubscribers/],
    [{ maxInFlight: 0 }, /maxInFlight/],
    [{ timeoutMs: Infinity }, /timeoutMs/],
    [{ timeoutMS: 7 }, /Did you mean timeoutMs/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { ...fake(async () => undefined), ...wrong } as unknown as MqttEmitterOptions;
    expect(() => mqttEmitter(options)).toThrow(TypeError);
    expect(() => mqttEmitter(options)).toThrow(message);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  const last = Date.now() + 5000;
  while (!isSo() && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 5));
}
