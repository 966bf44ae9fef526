/**
 * The emitter for queues of BullMQ, on a real Redis, and with queues that fail.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { Queue, type QueueOptions, Worker } from "bullmq";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { type BullMqEmitterOptions, type BullMqJobData, bullMqEmitter } from "express-webhook-node/emit/bullmq";
import { Redis } from "ioredis";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const PORT = 6379;
const connection = { host: "127.0.0.1", port: PORT };

/** A queue that is deleted again by `close`. */
class Opening {
  readonly queue: Queue<BullMqJobData>;

  constructor(options: Partial<QueueOptions> = {}) {
    this.queue = new Queue<BullMqJobData>(`${unique}_${randomBytes(4).toString("hex")}`, { connection, ...options });
    this.queue.on("error", () => {});
  }

  /** What the queue has: what was confirmed can be read. */
  async received(): Promise<readonly Received[]> {
    return (await this.queue.getJobs(["waiting"], 0, -1, true)).map(({ data }) => told(data));
  }

  async close(): Promise<void> {
    const queue = new Queue(this.queue.name, { connection });
    await queue.obliterate({ force: true });
    await Promise.all([queue.close(), this.queue.close()]);
  }
}

function told({ body, bodyBase64, contentType, attributes, fields }: BullMqJobData): Received {
  const octets = body === undefined ? Buffer.from(bodyBase64 as string, "base64") : Buffer.from(body);
  return { octets, contentType, attributes, fields };
}

emitterContract({
  name: "bullMqEmitter",
  describe: describeWith("Redis", PORT),
  open: () => {
    const opening = new Opening();
    return Promise.resolve({
      emitter: bullMqEmitter({ queue: opening.queue }),
      received: () => opening.received(),
      close: () => opening.close(),
    });
  },
  isDeduplicated: true,
  isOrdered: true,
  isBinary: true,
});

describeWith("Redis", PORT)("bullMqEmitter, with a server", () => {
  const opened: Opening[] = [];
  const opening = (options?: Partial<QueueOptions>): Opening => {
    const one = new Opening(options);
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it("adds a job that a worker is given, named by the type, with the key as its id [G1, J3]", async () => {
    const { queue } = opening();
    const message = messageOf();
    await bullMqEmitter({ queue })(message, contextOf());

    let worker: Worker<BullMqJobData> | undefined;
    const job = await new Promise<{ name: string; id?: string | undefined; data: BullMqJobData }>((resolve) => {
      worker = new Worker<BullMqJobData>(queue.name, async (given) => resolve(given), { connection });
    });
    await worker?.close();
    expect(job).toMatchObject({ name: "echo.json", id: message.key });
    expect(job.data).toEqual({
      body: message.body,
      contentType: message.contentType,
      attributes: attributesOf(message),
      fields: message.fields,
    });
  });

  it.each([
    ["orders", "orders"],
    [({ eventType }: { eventType?: string }) => eventType as string, "order.created"],
  ])("names the job as told: %p", async (name, expected) => {
    const { queue } = opening();
    await bullMqEmitter({ queue, name })(messageOf(), contextOf());
    expect((await queue.getWaiting())[0]?.name).toBe(expected);
  });

  it("lets the queue's own options hold [J3]", async () => {
    const { queue } = opening({ defaultJobOptions: { attempts: 3, removeOnComplete: { age: 60 } } });
    await bullMqEmitter({ queue })(messageOf(), contextOf());
    expect((await queue.getWaiting())[0]?.opts).toMatchObject({ attempts: 3, removeOnComplete: { age: 60 } });
  });

  it("refuses with 413 what is larger than sizeLimit, and takes what comes beside it [G1]", async () => {
    const one = opening({ defaultJobOptions: { sizeLimit: 5000 } });
    const { port } = await serveNode({ emitter: bullMqEmitter({ queue: one.queue }) });
    const answers = await Promise.all(["1", JSON.stringify("x".repeat(5000)), "2"].map((body) => send(port, { body })));

    expect(answers.map(({ status }) => status)).toEqual([200, 413, 200]);
    expect(await one.received()).toHaveLength(2);
  });

  it("is busy at once when the queue is closed, or its client cut off [J1]", async () => {
    const closed = opening();
    const emitter = bullMqEmitter({ queue: closed.queue });
    await emitter(messageOf(), contextOf());
    await closed.queue.close();
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });

    const client = new Redis({ ...connection, maxRetriesPerRequest: null });
    const shared = opening({ connection: client });
    const other = bullMqEmitter({ queue: shared.queue });
    await other(messageOf(), contextOf());
    client.disconnect();
    await expect(other(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
  });
});

describe("bullMqEmitter", () => {
  type AddBulk = BullMqEmitterOptions["queue"]["addBulk"];
  const addBulk: AddBulk = async (jobs) => jobs.map(({ opts }) => ({ id: opts.jobId }));

  it("adds what comes at the same time together, and in order [J1]", async () => {
    const spy = jest.fn(addBulk);
    const emitter = bullMqEmitter({ queue: { addBulk: spy } });
    const messages = Array.from({ length: 150 }, () => messageOf());
    await Promise.all(messages.map((message) => emitter(message, contextOf())));

    expect(spy.mock.calls.map(([jobs]) => jobs.length)).toEqual([100, 50]);
    const ids = spy.mock.calls.flatMap(([jobs]) => jobs.map(({ opts }) => opts.jobId));
    expect(ids).toEqual(messages.map(({ key }) => key));
  });

  it("holds one batch of a queue that hangs, and rejects what waits for it [J1]", async () => {
    const spy = jest.fn<ReturnType<AddBulk>, Parameters<AddBulk>>(() => new Promise(() => {}));
    const emitter = bullMqEmitter({ queue: { addBulk: spy }, timeoutMs: 30 });
    const emitted = await Promise.allSettled(Array.from({ length: 120 }, () => emitter(messageOf(), contextOf())));
    for (const each of emitted) expect(each).toMatchObject({ reason: { name: "BusyError" } });

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it("rejects where the queue gives another job for it, or none [J1]", async () => {
    for (const added of [[{ id: "other" }], []]) {
      const emitted = bullMqEmitter({ queue: { addBulk: async () => added } })(messageOf(), contextOf());
      await expect(emitted).rejects.toThrow("has not added");
    }
  });

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", "BusyError"],
    ["Connection is closed.", "BusyError"],
    ["NOPERM User default has no permissions", "Error"],
  ])("rejects as Redis does: %s", async (message, name) => {
    const queue = { addBulk: () => Promise.reject(new Error(message)) };
    await expect(bullMqEmitter({ queue })(messageOf(), contextOf())).rejects.toMatchObject({ name });
  });

  it.each([
    ["version 5", { client: Promise.resolve({ status: "reconnecting" }) }, false],
    ["version 6", { backend: { client: Promise.resolve({ status: "reconnecting" }) } }, false],
    ["a queue that closes", { closing: Promise.resolve() }, false],
    ["a client that is ready", { client: Promise.resolve({ status: "ready" }) }, true],
    ["a client that never came", { client: Promise.reject(new Error("no")) }, true],
    ["another backend", { backend: {} }, true],
  ])("looks at whether the queue is usable: %s", async (_, more, isUsable) => {
    const emitter = bullMqEmitter({ queue: { addBulk, ...more } });
    await new Promise(setImmediate);
    expect(
      await emitter(messageOf(), contextOf()).then(
        () => true,
        () => false,
      ),
    ).toBe(isUsable);
  });

  it.each([
    [{ queue: {} }, /queue: an object has no addBulk/],
    [{ queue: undefined }, /queue: undefined/],
    [{ name: "" }, /name/],
    [{ name: 7 }, /name: 7/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ Queue: 7 }, /Did you mean queue/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { queue: { addBulk }, ...wrong } as unknown as BullMqEmitterOptions;
    expect(() => bullMqEmitter(options)).toThrow(TypeError);
    expect(() => bullMqEmitter(options)).toThrow(message);
  });
});
