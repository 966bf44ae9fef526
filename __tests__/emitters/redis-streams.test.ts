/**
 * The emitter for streams of Redis, on a real server by the clients that apps have, and with clients that fail.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { attributesOf } from "express-webhook-node/emit/attributes";
import { type RedisStreamsEmitterOptions, redisStreamsEmitter } from "express-webhook-node/emit/redis-streams";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const PORT = 6379;

/** A stream that is deleted again, and its clients, by `close`. */
class Opening {
  readonly stream = `${unique}_${randomBytes(4).toString("hex")}`;
  readonly reader = new Redis(PORT, "127.0.0.1");
  readonly ioredis = new Redis(PORT, "127.0.0.1");
  readonly redis = createClient({ url: `redis://127.0.0.1:${PORT}` }).on("error", () => {});

  async open(): Promise<this> {
    await Promise.all([this.redis.connect(), this.ioredis.ping()]);
    return this;
  }

  /** What the stream has: what was confirmed can be read. */
  async received(): Promise<readonly Received[]> {
    const entries = (await this.reader.callBuffer("XRANGE", this.stream, "-", "+")) as [Buffer, Buffer[]][];
    return entries.map(([, flat]) => told(flat));
  }

  async close(): Promise<void> {
    const keys = await this.reader.keys(`*${this.stream}*`);
    if (keys.length > 0) await this.reader.del(keys);
    for (const client of [this.reader, this.ioredis, this.redis]) {
      if ("destroy" in client ? client.isOpen : true) await client.quit();
    }
  }
}

function told(flat: readonly Buffer[]): Received {
  const all = new Map(flat.flatMap((name, n) => (n % 2 ? [] : [[name.toString(), flat[n + 1] as Buffer] as const])));
  expect(all.size).toBe(flat.length / 2);
  const fields: Record<string, string> = {};
  const attributes: Record<string, string> = {};
  for (const [name, value] of all) {
    if (name.startsWith("ce_")) attributes[name.slice(3)] = value.toString();
    else if (name !== "data" && name !== "content-type") fields[name] = value.toString();
  }
  return { octets: all.get("data") as Buffer, contentType: all.get("content-type")?.toString(), attributes, fields };
}

for (const name of ["redis", "ioredis"] as const) {
  emitterContract({
    name: `redisStreamsEmitter, by ${name}`,
    describe: describeWith("Redis", PORT),
    open: async () => {
      const opening = await new Opening().open();
      return {
        emitter: redisStreamsEmitter({ client: opening[name], stream: opening.stream }),
        received: () => opening.received(),
        close: () => opening.close(),
      };
    },
    isDeduplicated: true,
    isOrdered: true,
    isBinary: true,
  });
}

describeWith("Redis", PORT)("redisStreamsEmitter, with a server", () => {
  let one: Opening;
  beforeEach(async () => {
    one = await new Opening().open();
  });
  afterEach(() => one.close());

  it.each(["redis", "ioredis"] as const)(
    "resolves to the entry, the first one's where it had it [J3]",
    async (name) => {
      const emitter = redisStreamsEmitter({ client: one[name], stream: one.stream });
      const message = messageOf();
      const [first, second] = await Promise.all([emitter(message, contextOf()), emitter(message, contextOf())]);

      expect(first).toEqual({ id: expect.stringMatching(/^\d+-\d+$/), isDuplicate: false });
      expect(second).toEqual({ ...(first as object), isDuplicate: true });
      expect(await one.received()).toHaveLength(1);
    },
  );

  it("forgets a message after windowSeconds [J3]", async () => {
    const { ioredis: client, stream, reader } = one;
    const message = messageOf();
    await redisStreamsEmitter({ client, stream, windowSeconds: 7 })(message, contextOf());

    const ttl = await reader.pttl(`{${stream}}:message:${message.key}`);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(7000);
  });

  it("adds each without deduplication, and leaves no key beside the stream", async () => {
    const { redis: client, stream } = one;
    const emitter = redisStreamsEmitter({ client, stream, windowSeconds: false });
    const message = messageOf();
    expect(await emitter(message, contextOf())).toMatchObject({ isDuplicate: false });
    await emitter(message, contextOf());

    expect(await one.received()).toHaveLength(2);
    expect(await one.reader.keys(`*${stream}*`)).toEqual([stream]);
  });

  it.each([false, 60] as const)("keeps about maxLength entries, with windowSeconds %s", async (windowSeconds) => {
    const { ioredis: client, stream, reader } = one;
    const emitter = redisStreamsEmitter({ client, stream, maxLength: 10, windowSeconds });
    await Promise.all(Array.from({ length: 300 }, () => emitter(messageOf(), contextOf())));

    // A node of the stream holds 100 entries, and is dropped as a whole.
    expect(await reader.xlen(stream)).toBeLessThan(150);
  });

  it("writes to the stream that a function tells, beside a key with the same hash tag", async () => {
    const { ioredis: client, stream, reader } = one;
    const keyed = { [`${stream}{tag}x`]: `${stream}{tag}x:message:`, [`${stream}y`]: `{${stream}y}:message:` };
    for (const [name, prefix] of Object.entries(keyed)) {
      const message = messageOf();
      await redisStreamsEmitter({ client, stream: () => name })(message, contextOf());
      expect(await reader.xlen(name)).toBe(1);
      expect(await reader.exists(prefix + message.key)).toBe(1);
    }
  });

  it("rejects where the key holds something else, and remembers nothing [J1]", async () => {
    const { redis: client, stream, reader } = one;
    await reader.set(stream, "text");
    const emitter = redisStreamsEmitter({ client, stream });
    const message = messageOf();

    await expect(emitter(message, contextOf())).rejects.toThrow("WRONGTYPE");
    const { port } = await serveNode({ emitter });
    expect((await send(port, { body: "7" })).status).toBe(503);
    await reader.del(stream);
    expect(await emitter(message, contextOf())).toMatchObject({ isDuplicate: false });
  });

  it("lets no sender set what an entry holds of its own", async () => {
    const { redis: client, stream } = one;
    const fields = { data: "mine", "content-type": "mine", ce_id: "mine", "x-ok": "a\tÿ" };
    const message = messageOf({ fields });
    await redisStreamsEmitter({ client, stream })(message, contextOf());

    const [got] = await one.received();
    expect(got?.octets).toEqual(message.octets);
    expect(got?.attributes["id"]).toBe(attributesOf(message).id);
    expect(got?.fields).toEqual({ "x-ok": "a\tÿ" });
  });

  it("is busy at once with a client that is cut off, although it would queue [J1]", async () => {
    const { redis, ioredis, stream } = one;
    redis.destroy();
    ioredis.disconnect();
    for (const client of [redis, ioredis]) {
      const emitted = redisStreamsEmitter({ client, stream })(messageOf(), contextOf());
      await expect(emitted).rejects.toMatchObject({ name: "BusyError" });
    }
    await ioredis.connect();
  });

  it("rejects what is under way when the client is closed [J1]", async () => {
    const { redis: client, stream } = one;
    const emitter = redisStreamsEmitter({ client, stream, timeoutMs: 60_000 });
    const emitted = Promise.allSettled(Array.from({ length: 20 }, () => emitter(messageOf(), contextOf())));
    await Promise.resolve();
    client.destroy();

    for (const each of await emitted) expect(each).toMatchObject({ reason: { name: "BusyError" } });
  });
});

describe("redisStreamsEmitter", () => {
  const entry = ["1-1", 0];
  const over = (sendCommand: () => Promise<unknown>, more: object = {}) => ({
    client: { sendCommand, ...more },
    stream: "orders",
  });

  it("does not touch the signal, which the clients do not take alike", async () => {
    const context = {
      get signal(): AbortSignal {
        throw new Error("touched");
      },
    };
    await redisStreamsEmitter(over(async () => entry))(messageOf(), context);
  });

  it("lets nothing in after a time-out until Redis answers, be it late [J1]", async () => {
    let answer = (_: unknown): void => {};
    const sendCommand = jest.fn(() => new Promise((resolve) => (answer = resolve)));
    const emitter = redisStreamsEmitter({ ...over(sendCommand), timeoutMs: 20 });

    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("at least once");
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(sendCommand).toHaveBeenCalledTimes(1);
    answer(entry);
    await new Promise(setImmediate);
    sendCommand.mockResolvedValue(entry);
    expect(await emitter(messageOf(), contextOf())).toEqual({ id: "1-1", isDuplicate: false });
  });

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:4.",
    "ERR Error running script (call to f_1): @user_script: 4: -OOM command not allowed when used memory > 'maxmemory'.",
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "NOREPLICAS Not enough good replicas to write.",
    "CLUSTERDOWN The cluster is down",
    "Connection is closed.",
    "Socket closed unexpectedly",
    "connect ECONNREFUSED 127.0.0.1:6379",
  ])("is busy where Redis takes nothing now: %s [J1]", async (message) => {
    const { port } = await serveNode({
      emitter: redisStreamsEmitter(over(() => Promise.reject(new Error(message)))),
    });
    const answer = await send(port, { body: "7" });
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  it.each([
    "NOPERM User default has no permissions to run the 'eval' command",
    "ERR unknown command 'EVAL'",
    "NOAUTH Authentication required.",
    "CROSSSLOT Keys in request don't hash to the same slot",
  ])("rejects with what Redis says is wrong: %s", async (message) => {
    const emitted = redisStreamsEmitter(over(() => Promise.reject(new Error(message))))(messageOf(), contextOf());
    await expect(emitted).rejects.toMatchObject({ name: "Error", message: expect.stringContaining(message) });
  });

  it.each([
    [{ isReady: false }, false],
    [{ isReady: true }, true],
    [{ status: "reconnecting" }, false],
    [{ status: "end" }, false],
    [{ status: "connect" }, false],
    [{ status: "connect", isCluster: true }, true],
    [{ status: "wait" }, true],
    [{}, true],
  ])("looks at whether a client is connected: %j", async (more, isConnected) => {
    const emitted = redisStreamsEmitter(over(async () => entry, more))(messageOf(), contextOf());
    expect(await emitted.then(Boolean, () => false)).toBe(isConnected);
  });

  it.each([
    [{ client: {} }, /client: an object has neither/],
    [{ client: undefined }, /client: undefined/],
    [{ stream: "" }, /stream/],
    [{ stream: "a}b" }, /hash tag/],
    [{ stream: "a{}b" }, /hash tag/],
    [{ stream: 7 }, /stream: 7/],
    [{ maxLength: 0 }, /maxLength/],
    [{ windowSeconds: 0 }, /windowSeconds/],
    [{ windowSeconds: true }, /windowSeconds/],
    [{ timeoutMs: -1 }, /timeoutMs/],
    [{ maxlength: 7 }, /Did you mean maxLength/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { ...over(async () => entry), ...wrong } as unknown as RedisStreamsEmitterOptions;
    expect(() => redisStreamsEmitter(options)).toThrow(TypeError);
    expect(() => redisStreamsEmitter(options)).toThrow(message);
  });
});
