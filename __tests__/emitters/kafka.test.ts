/**
 * The emitter for Kafka, on librdkafka's cluster for tests (which `kcat` starts), and with producers that fail.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { type KafkaEmitterOptions, type KafkaProducerLike, kafkaEmitter } from "express-webhook-node/emit/kafka";
import { type Consumer, type EachMessagePayload, Kafka, type Producer, logLevel } from "kafkajs";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const TOPICS = Array.from({ length: 25 }, (_, n) => `${unique}_${n}`);

/** A cluster for the tests of this file, and one consumer: it takes seconds to join its group. */
class Cluster {
  readonly consumed = new Map<string, EachMessagePayload[]>();
  private readonly free = [...TOPICS];
  private kcat!: ChildProcess;
  private consumer!: Consumer;
  kafka!: Kafka;
  /** All records go to one partition, so that they are read in order. */
  producer!: Producer;

  async open(): Promise<this> {
    this.kcat = started();
    this.kafka = new Kafka({ brokers: [await bootstrap(this.kcat)], logLevel: logLevel.NOTHING });
    this.producer = this.kafka.producer({ createPartitioner: () => () => 0 });
    await this.producer.connect();
    this.consumer = this.kafka.consumer({ groupId: unique, maxWaitTimeInMs: 20 });
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: TOPICS, fromBeginning: true });
    await this.consumer.run({
      eachMessage: async (payload) => {
        this.consumed.set(payload.topic, [...(this.consumed.get(payload.topic) ?? []), payload]);
      },
    });
    return this;
  }

  topic(): string {
    return this.free.pop() as string;
  }

  async received(topic: string, count: number): Promise<readonly EachMessagePayload[]> {
    const last = Date.now() + 10_000;
    const there = () => this.consumed.get(topic) ?? [];
    while (there().length < count && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 5));
    return there();
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.disconnect(), this.consumer.disconnect()]);
    this.kcat.kill();
  }
}

function started(): ChildProcess {
  return spawn("kcat", "-C -q -u -b x -X test.mock.num.brokers=1 -t __up -d mock".split(" "));
}

function bootstrap({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stderr?.on("data", (piece: Buffer) => {
      text += piece.toString();
      const servers = /bootstrap\.servers=([\w.:]+)/.exec(text)?.[1];
      if (servers) resolve(servers);
    });
  });
}

function told({ message }: EachMessagePayload): Received {
  const all = Object.entries({ ...message.headers }).map(([name, value]) => [name, String(value)] as const);
  const fields = Object.fromEntries(all.filter(([name]) => !name.startsWith("ce_")));
  return {
    octets: message.value as Buffer,
    contentType: fields["content-type"],
    attributes: Object.fromEntries(
      all.flatMap(([name, value]) => (name.startsWith("ce_") ? [[name.slice(3), value]] : [])),
    ),
    fields,
  };
}

const describeWithKafka = isThere() ? describe : describe.skip;

function isThere(): boolean {
  if (process.env["SERVICES"] === "required" || !spawnSync("kcat", ["-V"]).error) return true;
  process.stderr.write("There is no kcat (Debian's package of that name), so the tests with Kafka are skipped.\n");
  return false;
}

let opening: Promise<Cluster> | undefined;
const opened = (): Promise<Cluster> => (opening ??= new Cluster().open());

afterAll(async () => {
  await (await opening)?.close();
});

emitterContract({
  name: "kafkaEmitter",
  describe: describeWithKafka,
  open: async () => {
    const cluster = await opened();
    const topic = cluster.topic();
    return {
      emitter: kafkaEmitter({ producer: cluster.producer, topic }),
      received: async (count) => (await cluster.received(topic, count)).map(told),
      close: async () => {},
    };
  },
  isDeduplicated: false,
  isOrdered: true,
  isBinary: true,
  maxBytes: 1_048_588,
});

describeWithKafka("kafkaEmitter, with a cluster", () => {
  it("keys by groupId, so that a group stays in one partition, and leaves the key out without [G1]", async () => {
    const cluster = await opened();
    const topic = cluster.topic();
    const producer = cluster.kafka.producer();
    await producer.connect();
    const emitter = kafkaEmitter({ producer, topic });
    const groups = ["a", "b", "c", "d", ""];
    const messages = Array.from({ length: 50 }, (_, n) =>
      messageOf({ groupId: groups[n % 5] as string, body: String(n) }),
    );
    await Promise.all(messages.map((message) => emitter(message, contextOf())));
    const { groupId: _, ...alone } = messageOf();
    await emitter(alone, contextOf());

    const got = await cluster.received(topic, 51);
    for (const group of groups) {
      const ofGroup = got.filter(({ message }) => message.key?.toString() === group);
      expect(new Set(ofGroup.map(({ partition }) => partition)).size).toBe(1);
      expect(ofGroup.map(({ message }) => Number(message.value)).map((n) => groups[n % 5])).toEqual(
        Array(10).fill(group),
      );
      expect(ofGroup.map(({ message }) => Number(message.value))).toEqual(
        ofGroup.map(({ message }) => Number(message.value)).toSorted((a, b) => a - b),
      );
    }
    expect(got.filter(({ message }) => message.key === null)).toHaveLength(1);
    await producer.disconnect();
  });

  it("produces to the topic that a function makes of the message", async () => {
    const cluster = await opened();
    const topics = [cluster.topic(), cluster.topic()];
    const emitter = kafkaEmitter({ producer: cluster.producer, topic: ({ body }) => topics[Number(body)] as string });
    await Promise.all(["0", "1", "0", "1"].map((body) => emitter(messageOf({ body }), contextOf())));

    for (const [n, topic] of topics.entries()) {
      const got = await cluster.received(topic, 2);
      expect(got.map(({ message }) => String(message.value))).toEqual([String(n), String(n)]);
    }
  });

  it("is busy where the cluster goes away [J1]", async () => {
    const kcat = started();
    const brokers = [await bootstrap(kcat)];
    const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).producer();
    await producer.connect();
    const emitter = kafkaEmitter({ producer, topic: unique });
    await emitter(messageOf(), contextOf());
    kcat.kill();
    await new Promise((resolve) => kcat.once("exit", resolve));

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    await producer.disconnect();
  });

  it("is busy once the producer is disconnected [J1]", async () => {
    const cluster = await opened();
    const producer = cluster.kafka.producer();
    await producer.connect();
    await producer.disconnect();
    const { port } = await serveNode({ emitter: kafkaEmitter({ producer, topic: cluster.topic() }) });

    const answer = await send(port, { body: "7" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
  });
});

describe("kafkaEmitter", () => {
  type Send = KafkaProducerLike["send"];
  const fake = (sends: Send): KafkaEmitterOptions => ({ producer: { send: sends }, topic: "orders" });
  const sent = (...bodies: string[]) => bodies.map((body) => messageOf({ body }));
  const failing = (error: object) => async (): Promise<never> => {
    throw Object.assign(new Error("no"), error);
  };

  it("produces what comes together in one batch, and asks for nothing but topic and records [J1]", async () => {
    const sends = jest.fn<Promise<unknown>, Parameters<Send>>(async () => []);
    const emitter = kafkaEmitter(fake(sends));
    const [message] = sent("1");
    await Promise.all([...sent("0"), message as never, ...sent("2")].map((one) => emitter(one, contextOf())));

    expect(sends).toHaveBeenCalledTimes(1);
    const [{ messages, ...others }] = sends.mock.calls[0] as Parameters<Send>;
    expect(others).toEqual({ topic: "orders" });
    expect(messages.map(({ value }) => String(value))).toEqual(["0", "1", "2"]);
    expect(messages[1]?.headers["ce_id"]).toBe((message as { key: string }).key);
  });

  it("keeps a batch within maxMessageBytes, and refuses what is larger by itself [G1]", async () => {
    const sends = jest.fn<Promise<unknown>, Parameters<Send>>(async () => []);
    const emitter = kafkaEmitter({ ...fake(sends), maxMessageBytes: 10_000 });
    const messages = sent(...Array.from({ length: 9 }, () => "7".repeat(3000)));
    await Promise.all(messages.map((message) => emitter(message, contextOf())));
    const large = emitter(messageOf({ body: "7".repeat(9900) }), contextOf());

    await expect(large).rejects.toMatchObject({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
    expect(sends.mock.calls.map(([{ messages: batch }]) => batch.length)).toEqual([2, 2, 2, 2, 1]);
  });

  it("sends one by one where the topic takes less than maxMessageBytes: 413 for the large one alone [J1]", async () => {
    const sends = jest.fn<Promise<unknown>, Parameters<Send>>(async ({ messages }) => {
      if (messages.some(({ value }) => value.length > 100)) throw Object.assign(new Error("too large"), { code: 10 });
    });
    const emitter = kafkaEmitter(fake(sends));
    const settled = await Promise.allSettled(
      sent("1", "7".repeat(200), "3").map((message) => emitter(message, contextOf())),
    );

    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(settled[1]).toMatchObject({ reason: { code: "ERR_WEBHOOK_BODY_TOO_LARGE" } });
  });

  it("gives up in time, and lets nothing wait behind a cluster that does not answer [J1]", async () => {
    let answer = (): void => {};
    const sends = jest.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    const emitter = kafkaEmitter({ ...fake(sends), timeoutMs: 50 });

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("does not answer");
    expect(sends).toHaveBeenCalledTimes(1);
    answer();
    sends.mockImplementation(async () => {});
    await new Promise(setImmediate);
    await emitter(messageOf(), contextOf());
  });

  it.each([
    [{ name: "KafkaJSError", retriable: true }, { name: "BusyError" }],
    [{ name: "KafkaJSNumberOfRetriesExceeded", retriable: false }, { name: "BusyError" }],
    [{ name: "KafkaJSNonRetriableError", retriable: false, cause: { retriable: true } }, { name: "BusyError" }],
    [{ code: -184 }, { name: "BusyError" }],
    [{ code: 18 }, { code: "ERR_WEBHOOK_BODY_TOO_LARGE" }],
    [{ name: "KafkaJSProtocolError", code: 29, retriable: false }, { code: 29 }],
  ])("rejects as the producer did: %j", async (thrown, expected) => {
    await expect(kafkaEmitter(fake(failing(thrown)))(messageOf(), contextOf())).rejects.toMatchObject(expected);
  });

  it("lets no sender set an attribute, and takes no bad content type", async () => {
    const sends = jest.fn<Promise<unknown>, Parameters<Send>>(async () => []);
    const fields = { ce_id: "mine", "Content-Type": "mine", "x-ok": "ÿ", "x-broken": "a\0" };
    const message = messageOf({ fields, contentType: "application/json\r\nX: y" });
    await kafkaEmitter(fake(sends))(message, contextOf());

    const attributes = Object.entries(attributesOf(message)).map(([name, value]) => [`ce_${name}`, value]);
    expect(sends.mock.calls[0]?.[0].messages[0]?.headers).toEqual({
      ...Object.fromEntries(attributes),
      "content-type": "application/json",
      "x-ok": "ÿ",
    });
  });

  it.each(["", "a b", ".", "..", "a/b", "ü", "x".repeat(250)])(
    "refuses a topic such as %j, and a function's",
    async (topic) => {
      const options = fake(async () => []);
      expect(() => kafkaEmitter({ ...options, topic })).toThrow(TypeError);
      const emitted = kafkaEmitter({ ...options, topic: () => topic })(messageOf(), contextOf());
      await expect(emitted).rejects.toThrow("topic: the function returned");
    },
  );

  it.each([
    [{ producer: {} }, /producer: an object has no send/],
    [{ producer: undefined }, /producer: undefined/],
    [{ topic: 7 }, /topic: 7/],
    [{ maxMessageBytes: "1mb" }, /maxMessageBytes/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ acks: 0 }, /There are: maxMessageBytes, producer, timeoutMs, topic/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { ...fake(async () => []), ...wrong } as unknown as KafkaEmitterOptions;
    expect(() => kafkaEmitter(options)).toThrow(TypeError);
    expect(() => kafkaEmitter(options)).toThrow(message);
  });
});
