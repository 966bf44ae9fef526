/**
 * The emitter for AMQP 0-9-1, on a real RabbitMQ, and with channels that fail.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { type ChannelModel, type ConfirmChannel, type GetMessage, connect } from "amqplib";
import { type AmqpEmitterOptions, amqpEmitter } from "express-webhook-node/emit/amqp";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const PORT = 5672;

/** A queue that is deleted again, and connections that are closed, by `close`. */
class Opening {
  readonly queue = `${unique}_${randomBytes(4).toString("hex")}`;
  readonly errors: Error[] = [];
  connection!: ChannelModel;
  channel!: ConfirmChannel;
  #reader!: ChannelModel;
  readonly #got: GetMessage[] = [];

  async open(args: object = {}): Promise<this> {
    this.connection = await connect(`amqp://guest:guest@127.0.0.1:${PORT}`);
    this.connection.on("error", (error) => this.errors.push(error));
    this.channel = await this.newChannel();
    await this.channel.assertQueue(this.queue, { durable: true, arguments: args });
    this.#reader = await connect(`amqp://guest:guest@127.0.0.1:${PORT}`);
    return this;
  }

  async newChannel(): Promise<ConfirmChannel> {
    const channel = await this.connection.createConfirmChannel();
    channel.on("error", (error) => this.errors.push(error));
    return channel;
  }

  emitter(options: Partial<AmqpEmitterOptions> = {}): ReturnType<typeof amqpEmitter> {
    return amqpEmitter({ channel: this.channel, routingKey: this.queue, ...options });
  }

  /** What the queue has: what was confirmed can be read. */
  async messages(): Promise<readonly GetMessage[]> {
    const channel = await this.#reader.createChannel();
    for (;;) {
      const one = await channel.get(this.queue, { noAck: true });
      if (one === false) break;
      this.#got.push(one);
    }
    await channel.close();
    return this.#got;
  }

  async received(): Promise<readonly Received[]> {
    return (await this.messages()).map(told);
  }

  async close(): Promise<void> {
    const channel = await this.#reader.createChannel();
    await channel.deleteQueue(this.queue);
    await this.#reader.close();
    await this.connection.close().catch(() => {});
  }
}

function told({ content, properties }: GetMessage): Received {
  const fields: Record<string, string> = {};
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties.headers as Record<string, string>)) {
    if (name.startsWith("cloudEvents_")) attributes[name.slice("cloudEvents_".length)] = value;
    else fields[name] = value;
  }
  return { octets: content, contentType: properties.contentType as string, attributes, fields };
}

emitterContract({
  name: "amqpEmitter",
  describe: describeWith("RabbitMQ", PORT),
  open: async () => {
    const opening = await new Opening().open();
    return {
      emitter: opening.emitter({ maxBytes: 1_048_576 }),
      received: () => opening.received(),
      close: () => opening.close(),
    };
  },
  isDeduplicated: false,
  isOrdered: true,
  isBinary: true,
  maxBytes: 1_048_576,
});

describeWith("RabbitMQ", PORT)("amqpEmitter, with a broker that refuses", () => {
  const opened: Opening[] = [];
  const opening = async (args?: object): Promise<Opening> => {
    const one = await new Opening().open(args);
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it("sends persistent messages with the key as their id [G2, J3]", async () => {
    const one = await opening();
    const message = messageOf();
    await one.emitter()(message, contextOf());

    expect((await one.messages())[0]?.properties).toMatchObject({
      deliveryMode: 2,
      messageId: message.key,
      timestamp: Math.floor(message.receivedAt.getTime() / 1000),
    });
  });

  it("publishes to an exchange, by the key that a function makes of the message", async () => {
    const one = await opening();
    const exchange = `${one.queue}_x`;
    await one.channel.assertExchange(exchange, "topic", { autoDelete: true });
    await one.channel.bindQueue(one.queue, exchange, "orders.#");
    const emitter = one.emitter({ exchange, routingKey: ({ eventType }) => `orders.${eventType}` });
    await emitter(messageOf(), contextOf());

    expect((await one.messages())[0]?.fields).toMatchObject({ exchange, routingKey: "orders.order.created" });
  });

  it("rejects what is routed to no queue, and confirms what was sent beside it [J1]", async () => {
    const one = await opening();
    const lost = one.emitter({ routingKey: `${one.queue}_none` });
    const message = messageOf();
    const settled = await Promise.allSettled([
      one.emitter()(message, contextOf()),
      lost(message, contextOf()),
      one.emitter()(messageOf(), contextOf()),
    ]);

    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(settled[1]).toMatchObject({ reason: { message: expect.stringContaining("to no queue") } });
    expect(await one.messages()).toHaveLength(2);
    const { port } = await serveNode({ emitter: lost });
    const answer = await send(port, { body: "7" });
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  it("is busy where the queue is full and rejects [J1]", async () => {
    const one = await opening({ "x-max-length": 1, "x-overflow": "reject-publish" });
    const emitter = one.emitter();
    await emitter(messageOf(), contextOf());

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(await one.messages()).toHaveLength(1);
  });

  it("tells of an exchange that does not exist, and goes on by a new channel [J1]", async () => {
    const one = await opening();
    let channel: ConfirmChannel | undefined = one.channel;
    const current = { channel: () => channel };
    const wrong = one.emitter({ ...current, exchange: `${one.queue}_none` });

    await expect(wrong(messageOf(), contextOf())).rejects.toThrow("no exchange");
    expect(one.errors).toHaveLength(1);
    await expect(one.emitter(current)(messageOf(), contextOf())).rejects.toThrow("the channel is closed");
    channel = undefined;
    await expect(one.emitter(current)(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    channel = await one.newChannel();
    await one.emitter(current)(messageOf(), contextOf());
    expect(await one.messages()).toHaveLength(1);
  });

  it("rejects all that is not confirmed when the connection dies, and what comes after at once [J1]", async () => {
    const one = await opening();
    const emitter = one.emitter({ timeoutMs: 60_000 });
    const emitted = Promise.allSettled(Array.from({ length: 20 }, () => emitter(messageOf(), contextOf())));
    (one.connection.connection as unknown as { stream: { destroy(error: Error): void } }).stream.destroy(
      new Error("cut"),
    );

    for (const each of await emitted) expect(each).toMatchObject({ reason: { name: "BusyError" } });
    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("the channel is closed");
  });

  it("is busy with a channel that was closed before it was used [J1]", async () => {
    const one = await opening();
    await one.channel.close();
    await expect(one.emitter()(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
  });

  it("lets no sender set a header that the broker reads, or an attribute", async () => {
    const one = await opening();
    const fields = { cc: "elsewhere", CC: "elsewhere", "x-delay": "9", cloudEvents_id: "mine", "x-ok": "a\tÿ" };
    const message = messageOf({ fields, contentType: `application/json; a=${"b".repeat(300)}` });
    await one.emitter()(message, contextOf());

    const [got] = await one.received();
    expect(got?.attributes["id"]).toBe(attributesOf(message).id);
    expect(got?.fields).toEqual({ "x-ok": "a\tÿ" });
    expect(got?.contentType).toBe("application/json");
  });

  it("refuses more headers than fit a frame, and the channel lives [G1]", async () => {
    const one = await opening();
    const field = "ÿ".repeat(16_000);
    const fields = { "x-a": field, "x-b": field };
    await one.emitter()(messageOf({ fields }), contextOf());

    const emitted = one.emitter()(messageOf({ fields: { ...fields, "x-c": field } }), contextOf());
    await expect(emitted).rejects.toMatchObject({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
    await one.emitter()(messageOf(), contextOf());
    expect(await one.messages()).toHaveLength(2);
  });
});

/** A channel that keeps what is published, until it is told what to answer. */
class Channel extends EventEmitter {
  readonly connection = new EventEmitter();
  readonly confirm: ((error: unknown) => void)[] = [];
  readonly publish = jest.fn(
    (_exchange: string, _key: string, _content: Buffer, _options: object, confirmed: (error: unknown) => void) =>
      this.confirm.push(confirmed) > 0,
  );
  waitForConfirms = (): Promise<void> => Promise.resolve();
}

describe("amqpEmitter", () => {
  it("gives octets and properties to the channel, and settles when they are confirmed [G1, J1]", async () => {
    const channel = new Channel();
    const message = messageOf();
    let isSettled = false;
    const emitted = amqpEmitter({ channel, routingKey: "orders" })(message, contextOf()).then(() => (isSettled = true));
    await new Promise(setImmediate);

    expect(isSettled).toBe(false);
    expect(channel.publish.mock.calls[0]?.slice(0, 3)).toEqual(["", "orders", message.octets]);
    expect(channel.publish.mock.calls[0]?.[3]).toMatchObject({ mandatory: true, persistent: true });
    channel.confirm[0]?.(null);
    await emitted;
  });

  it("does not touch the signal, which a channel cannot take", async () => {
    const channel = new Channel();
    const context = {
      get signal(): AbortSignal {
        throw new Error("touched");
      },
    };
    const emitted = amqpEmitter({ channel, routingKey: "orders" })(messageOf(), context);
    channel.confirm[0]?.(null);
    await emitted;
  });

  it("lets nothing in after a time-out until the broker answers, be it late [J1]", async () => {
    const channel = new Channel();
    const emitter = amqpEmitter({ channel, routingKey: "orders", timeoutMs: 20 });

    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("at least once");
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(channel.publish).toHaveBeenCalledTimes(1);
    channel.confirm[0]?.(null);
    await new Promise(setImmediate);
    const emitted = emitter(messageOf(), contextOf());
    channel.confirm[1]?.(null);
    await emitted;
  });

  it("lets nothing in while too much is neither confirmed nor awaited, whatever else is confirmed [J1]", async () => {
    const channel = new Channel();
    const emitter = amqpEmitter({ channel, routingKey: "orders", timeoutMs: 20 });
    const message = messageOf();
    await Promise.allSettled(Array.from({ length: 1001 }, () => emitter(message, contextOf())));

    channel.confirm[0]?.(null);
    await new Promise(setImmediate);
    await expect(emitter(message, contextOf())).rejects.toMatchObject({ name: "BusyError" });
    channel.confirm[1]?.(null);
    await new Promise(setImmediate);
    const emitted = emitter(message, contextOf());
    channel.confirm[1001]?.(null);
    await emitted;
  });

  it("is busy at once while the broker blocks the connection [J1]", async () => {
    const channel = new Channel();
    const emitter = amqpEmitter({ channel, routingKey: "orders" });
    const first = emitter(messageOf(), contextOf());
    channel.confirm[0]?.(null);
    await first;

    channel.connection.emit("blocked", "low on disk");
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(channel.publish).toHaveBeenCalledTimes(1);
    channel.connection.emit("unblocked");
    const next = emitter(messageOf(), contextOf());
    channel.confirm[1]?.(null);
    await next;
  });

  it("knows a connection that was blocked before [J1]", async () => {
    const channel = new Channel();
    Object.assign(channel.connection, { blocked: true });
    const emitted = amqpEmitter({ channel, routingKey: "orders" })(messageOf(), contextOf());
    await expect(emitted).rejects.toMatchObject({ name: "BusyError" });
  });

  it("rejects what a channel that closes leaves unconfirmed, whatever the client calls back [J1]", async () => {
    const channel = new Channel();
    const emitted = amqpEmitter({ channel, routingKey: "orders" })(messageOf(), contextOf());
    channel.emit("close");
    await expect(emitted).rejects.toMatchObject({ name: "BusyError" });
  });

  it("adds one listener to a connection, and a few to a channel, for many emitters", async () => {
    const connection = new EventEmitter();
    for (let n = 0; n < 20; n++) {
      const channel = Object.assign(new Channel(), { connection });
      for (let m = 0; m < 5; m++) void amqpEmitter({ channel, routingKey: "a" })(messageOf(), contextOf());
      expect(channel.listenerCount("return")).toBe(1);
      channel.confirm.forEach((confirm) => confirm(null));
    }
    expect(connection.listenerCount("blocked")).toBe(1);
  });

  it("does not stand for the app's own listener of errors", async () => {
    const channel = new Channel();
    const emitted = amqpEmitter({ channel, routingKey: "orders" })(messageOf(), contextOf());
    expect(() => channel.emit("error", new Error("mine"))).toThrow("mine");
    channel.emit("close");
    await expect(emitted).rejects.toMatchObject({ cause: { message: "mine" } });
  });

  it.each([
    ["empty", ""],
    ["long", "k".repeat(256)],
  ])("refuses a routing key of a function that is %s", async (_, key) => {
    const emitted = amqpEmitter({ channel: new Channel(), routingKey: () => key })(messageOf(), contextOf());
    await expect(emitted).rejects.toThrow("routingKey: the function returned");
  });

  it("refuses a routing key that is short in characters, and long in bytes", async () => {
    const emitted = amqpEmitter({ channel: new Channel(), routingKey: () => "ü".repeat(200) })(
      messageOf(),
      contextOf(),
    );
    await expect(emitted).rejects.toThrow("255 bytes");
    const long = { channel: new Channel(), routingKey: "ü".repeat(200) };
    expect(() => amqpEmitter(long)).toThrow(/routingKey.*255 bytes/);
    expect(() => amqpEmitter({ ...long, exchange: "ü".repeat(200) })).toThrow(/exchange.*255 bytes/);
  });

  it("lets an exchange have an empty routing key", () => {
    expect(() => amqpEmitter({ channel: new Channel(), exchange: "all", routingKey: "" })).not.toThrow();
  });

  it.each([
    [{ channel: {} }, /channel: an object is no confirm channel/],
    [{ channel: undefined }, /channel: undefined/],
    [{ channel: { publish() {} } }, /createConfirmChannel/],
    [{ routingKey: 7 }, /routingKey: 7/],
    [{ routingKey: "" }, /routingKey/],
    [{ exchange: "" }, /exchange/],
    [{ maxBytes: -1 }, /maxBytes/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMS: 7 }, /Did you mean timeoutMs/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { channel: new Channel(), routingKey: "a", ...wrong } as unknown as AmqpEmitterOptions;
    expect(() => amqpEmitter(options)).toThrow(TypeError);
    expect(() => amqpEmitter(options)).toThrow(message);
  });
});
