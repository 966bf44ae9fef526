/**
 * The emitter for NATS JetStream, on a real server, and with clients that fail.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type MsgHdrs, type NatsConnection, connect } from "@nats-io/transport-node";
import { attributesOf } from "express-webhook-node/emit/attributes";
import {
  type JetStreamAck,
  type JetStreamEmitterOptions,
  type JetStreamLike,
  type NatsConnectionLike,
  jetStreamEmitter,
} from "express-webhook-node/emit/nats";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { type Received, emitterContract } from "./contract";

const PORT = 4222;

/** Streams that are deleted again, and connections that are closed, by `close`. */
class Opening {
  readonly stream = `${unique}_${randomBytes(4).toString("hex")}`;
  readonly subject = `${this.stream}.orders`;
  connection!: NatsConnection;
  client!: JetStreamClient;
  manager!: JetStreamManager;

  async open(port = PORT, config: object = {}): Promise<this> {
    this.connection = await connect({ servers: `127.0.0.1:${port}`, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
    this.client = jetstream(this.connection);
    this.manager = await jetstreamManager(this.connection);
    await this.manager.streams.add({ name: this.stream, subjects: [`${this.stream}.>`], ...config });
    return this;
  }

  /** What the stream has: what it has acknowledged can be read. */
  async received(): Promise<readonly Received[]> {
    const { messages } = (await this.manager.streams.info(this.stream)).state;
    return Promise.all(Array.from({ length: messages }, (_, n) => this.one(n + 1)));
  }

  async one(seq: number): Promise<Received> {
    const stored = await this.manager.streams.getMessage(this.stream, { seq });
    const { header, data } = stored as NonNullable<typeof stored>;
    return { octets: Buffer.from(data), ...told(header) };
  }

  emitter(timeoutMs?: number): ReturnType<typeof jetStreamEmitter> {
    const { client, subject } = this;
    return jetStreamEmitter({ client, subject, timeoutMs });
  }

  async close(): Promise<void> {
    await this.manager.streams.delete(this.stream);
    await this.connection.close();
  }
}

function told(header: MsgHdrs): Omit<Received, "octets"> {
  const fields: Record<string, string> = {};
  const attributes: Record<string, string> = {};
  for (const name of header.keys()) {
    if (name.startsWith("ce-")) attributes[name.slice(3)] = decodeURIComponent(header.get(name));
    else if (!name.startsWith("Nats-")) fields[name] = header.get(name);
  }
  const { datacontenttype: contentType, ...others } = attributes;
  return { contentType, attributes: others, fields };
}

emitterContract({
  name: "jetStreamEmitter",
  describe: describeWith("NATS", PORT),
  open: async () => {
    const opening = await new Opening().open();
    return {
      emitter: opening.emitter(),
      received: () => opening.received(),
      close: () => opening.close(),
    };
  },
  isDeduplicated: true,
  isOrdered: true,
  isBinary: true,
  maxBytes: 1_048_576,
});

describeWith("NATS", PORT)("jetStreamEmitter, with streams that refuse", () => {
  const opened: Opening[] = [];
  const opening = async (config?: object, port?: number): Promise<Opening> => {
    const one = await new Opening().open(port, config);
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it("resolves to the acknowledgement: which stream, where, and whether it had it [J1, J3]", async () => {
    const { client, subject, stream } = await opening();
    const emitter = jetStreamEmitter({ client, subject, stream });
    const message = messageOf();

    expect(await emitter(message, contextOf())).toMatchObject({ stream, seq: 1, duplicate: false });
    expect(await emitter(message, contextOf())).toMatchObject({ stream, seq: 1, duplicate: true });
  });

  it("publishes to the subject that a function makes of the message", async () => {
    const { client, stream, manager } = await opening();
    await jetStreamEmitter({ client, subject: ({ eventType }) => `${stream}.${eventType}` })(messageOf(), contextOf());

    expect((await manager.streams.getMessage(stream, { seq: 1 }))?.subject).toBe(`${stream}.order.created`);
  });

  it("answers 503 where no stream takes the subject, and says so in the log [J1]", async () => {
    const { client } = await opening();
    const { port, lines } = await serveNode({ emitter: jetStreamEmitter({ client, subject: `${unique}-none.x` }) });
    const answer = await send(port, { body: "7" });

    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(lines.join("\n")).toContain(`no stream takes ${unique}-none.x`);
  });

  it("is busy where the stream is full [J1]", async () => {
    const { client, subject } = await opening({ max_bytes: 2000, discard: "new" });
    const emitter = jetStreamEmitter({ client, subject });
    await emitter(messageOf(), contextOf());

    const full = emitter(messageOf({ body: JSON.stringify("x".repeat(1500)) }), contextOf());
    await expect(full).rejects.toMatchObject({ name: "BusyError", retryAfterSeconds: 1 });
    const { port } = await serveNode({ emitter });
    expect((await send(port, { body: JSON.stringify("x".repeat(1500)) })).status).toBe(503);
  });

  it("answers 413 for what is larger than the stream's max_msg_size [G1]", async () => {
    const { client, subject } = await opening({ max_msg_size: 2000 });
    const { port } = await serveNode({ emitter: jetStreamEmitter({ client, subject }) });

    expect((await send(port, { body: JSON.stringify("x".repeat(2000)) })).status).toBe(413);
    expect((await send(port, { body: "7" })).status).toBe(200);
  });

  it("counts headers against the server's max_payload, as the server does [G1]", async () => {
    const one = await opening();
    const emitter = one.emitter();
    const largest = await largestBody(emitter);

    expect((await one.one(1)).octets.length).toBe(largest);
  });

  /** The largest body that is taken, found by the emitter's own refusals; the one octet more is refused by it. */
  async function largestBody(emitter: ReturnType<typeof jetStreamEmitter>): Promise<number> {
    for (let size = 1_048_000; size > 1_047_000; size--) {
      const octets = Buffer.alloc(size, "x");
      try {
        await emitter(messageOf({ octets, body: "" }), contextOf());
        return size;
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
      }
    }
    throw new Error("None was taken.");
  }

  it("refuses a stream that is not the one it is for", async () => {
    const { client, subject } = await opening();
    const emitted = jetStreamEmitter({ client, subject, stream: "another" })(messageOf(), contextOf());
    await expect(emitted).rejects.toThrow("expected stream does not match");
  });

  it("takes no answer for an acknowledgement that names no stream [J1]", async () => {
    const { client, connection, stream } = await opening();
    connection.subscribe(`${stream}-other`, { callback: (_, request) => void request.respond("{}") });
    await connection.flush();

    const emitted = jetStreamEmitter({ client, subject: `${stream}-other` })(messageOf(), contextOf());
    await expect(emitted).rejects.toThrow("no stream");
  });

  it("lets no sender set a header that NATS reads, or an attribute", async () => {
    const one = await opening();
    const fields = { "nats-msg-id": "mine", "nats-expected-stream": "other", "ce-id": "mine", "x-ok": "a\tÿ" };
    const message = messageOf({ fields: { ...fields, "x-broken": "a\r\nNats-Msg-Id: mine" } });
    await one.emitter()(message, contextOf());

    const [got] = await one.received();
    expect(got?.attributes["id"]).toBe(attributesOf(message).id);
    expect(got?.fields).toEqual({ "x-ok": "a\tÿ" });
  });

  it("is busy at once while it is cut off, without keeping the message, and goes on after the reconnect [J1]", async () => {
    const proxy = await proxyTo(PORT);
    const one = await opening({}, proxy.port);
    // What is on its way when the line is cut is only found out by its time-out.
    const emitter = one.emitter(200);
    await emitter(messageOf(), contextOf());

    await proxy.cut();
    await until(async () => {
      const lost = await emitter(messageOf(), contextOf()).catch((error: unknown) => error);
      return (lost as Error).message.includes("cut off");
    });
    const before = Date.now();
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
    expect(Date.now() - before).toBeLessThan(1000);

    await proxy.mend();
    await until(async () => emitter(messageOf({ body: '"after"' }), contextOf()).then(Boolean, () => false));
    const got = await one.received();
    expect(got[got.length - 1]?.octets.toString()).toBe('"after"');
    await opened.splice(opened.indexOf(one), 1)[0]?.close();
    await proxy.close();
  });

  it("is busy once the connection is closed [J1]", async () => {
    const one = await opening();
    const connection = await connect({ servers: `127.0.0.1:${PORT}` });
    const emitter = jetStreamEmitter({ client: jetstream(connection), subject: one.subject });
    await connection.close();

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
  });
});

describe("jetStreamEmitter", () => {
  const ack: JetStreamAck = { stream: "orders", seq: 1, duplicate: false };
  const fake = (publish: JetStreamLike["publish"], connection: Partial<NatsConnectionLike> = {}) => {
    const given: JetStreamEmitterOptions = {
      client: { publish },
      connection: {
        info: { max_payload: 1_048_576 },
        isClosed: () => false,
        isDraining: () => false,
        flush: () => Promise.resolve(),
        async *status() {},
        ...connection,
      },
      subject: "orders.new",
    };
    return given;
  };

  it("gives the key, the time-out and the octets to the client [G1, J3]", async () => {
    const publish = jest.fn(async () => ack);
    const message = messageOf();
    await jetStreamEmitter({ ...fake(publish), timeoutMs: 700 })(message, contextOf());

    expect(publish).toHaveBeenCalledWith(
      "orders.new",
      message.octets,
      expect.objectContaining({ msgID: message.key, timeout: 700 }),
    );
    expect(publish.mock.calls[0]).not.toHaveProperty([2, "expect"]);
  });

  it("does not touch the signal, which the client cannot take", async () => {
    const context = {
      get signal(): AbortSignal {
        throw new Error("touched");
      },
    };
    await jetStreamEmitter(fake(async () => ack))(messageOf(), context);
  });

  it("rejects what is on its way as soon as the connection is lost [J1]", async () => {
    let lose = (): void => {};
    const isLost = new Promise<void>((resolve) => (lose = resolve));
    async function* status() {
      await isLost;
      yield { type: "disconnect" };
    }
    const emitter = jetStreamEmitter(fake(() => new Promise(() => {}), { status }));

    const emitted = emitter(messageOf(), contextOf());
    lose();
    await expect(emitted).rejects.toThrow("at least once");
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ name: "BusyError" });
  });

  it("lets nothing in after a time-out until the server gives a sign of life [J1]", async () => {
    const timeout = Object.assign(new Error("timeout"), { name: "TimeoutError" });
    const publish = jest.fn<Promise<JetStreamAck>, []>(async () => Promise.reject(timeout));
    let alive = (): void => {};
    const flush = () => new Promise<void>((resolve) => (alive = resolve));
    const emitter = jetStreamEmitter(fake(publish, { flush }));

    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("at least once");
    await expect(emitter(messageOf(), contextOf())).rejects.toThrow("cut off");
    expect(publish).toHaveBeenCalledTimes(1);
    alive();
    publish.mockResolvedValue(ack);
    await new Promise(setImmediate);
    expect(await emitter(messageOf(), contextOf())).toEqual(ack);
  });

  it.each([
    [{ name: "JetStreamApiError", code: 10008, status: 503 }, { name: "BusyError" }],
    [{ name: "JetStreamApiError", code: 10002, status: 400 }, { name: "BusyError" }],
    [{ name: "JetStreamApiError", code: 10109, status: 400 }, { name: "JetStreamApiError" }],
    [{ name: "ClosedConnectionError" }, { name: "BusyError" }],
    [{ name: "DrainingConnectionError" }, { name: "BusyError" }],
    [{ name: "RequestError" }, { name: "RequestError" }],
  ])("rejects as the client did: %j", async (thrown, expected) => {
    const emitter = jetStreamEmitter(fake(async () => Promise.reject(Object.assign(new Error("no"), thrown))));
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject(expected);
  });

  it.each(["", "a b", "a..b", ".a", "a.*", "a.>", "a\r\nb"])(
    "refuses a subject such as %j, and a function's",
    async (subject) => {
      const options = fake(async () => ack);
      expect(() => jetStreamEmitter({ ...options, subject })).toThrow(TypeError);
      const emitted = jetStreamEmitter({ ...options, subject: () => subject })(messageOf(), contextOf());
      await expect(emitted).rejects.toThrow("subject: the function returned");
    },
  );

  it.each([
    [{ client: {} }, /client: an object has no publish/],
    [{ client: undefined }, /client: undefined/],
    [{ connection: {} }, /connection: an object/],
    [{ connection: undefined }, /connection: undefined/],
    [{ subject: 7 }, /subject: 7/],
    [{ stream: "" }, /stream/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMS: 7 }, /Did you mean timeoutMs/],
  ])("throws at start for %j", (wrong, message) => {
    const options = { ...fake(async () => ack), ...wrong } as unknown as JetStreamEmitterOptions;
    expect(() => jetStreamEmitter(options)).toThrow(TypeError);
    expect(() => jetStreamEmitter(options)).toThrow(message);
  });

  it("says which package it needs", () => {
    jest.isolateModules(() => {
      jest.doMock("@nats-io/transport-node", () => {
        throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
      });
      const fresh = jest.requireActual<{ jetStreamEmitter: typeof jetStreamEmitter }>("express-webhook-node/emit/nats");
      expect(() => fresh.jetStreamEmitter(fake(async () => ack))).toThrow("npm install @nats-io/transport-node");
    });
    jest.dontMock("@nats-io/transport-node");
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const last = Date.now() + 5000;
  while (!(await isSo())) {
    if (Date.now() > last) throw new Error("It did not come to be.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

type Proxy = { readonly port: number; cut(): Promise<void>; mend(): Promise<void>; close(): Promise<void> };

/** A port that leads to another one, and can be cut. */
async function proxyTo(target: number): Promise<Proxy> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(target, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => {}).on("close", () => (sockets.delete(one), other.destroy()));
    }
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, cut: close, mend: () => listen(port), close };
}
