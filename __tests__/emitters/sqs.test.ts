/** The emitter for Amazon SQS, with an emulator of SQS in this process and the real SDK as client. */
import { createHash, randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message as SqsMessage,
} from "@aws-sdk/client-sqs";
import { createSqsServer } from "local-aws-sqs";
import { sqsEmitter, type SqsSender } from "express-webhook-node/emit/sqs";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode, until } from "../support/serve";
import { unique } from "../support/service";
import { emitterContract, type Received } from "./contract";

const QUEUE_URL = "http://127.0.0.1/1/q";

let server: Server;
let client: SQSClient;
const clientOf = (port: number) =>
  new SQSClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
    maxAttempts: 1,
  });

beforeAll(async () => {
  server = await createSqsServer({ port: await freePort(), hostname: "127.0.0.1" });
  client = clientOf((server.address() as AddressInfo).port);
});
afterAll(async () => {
  client.destroy();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

/** The emulator does not take port 0. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function createQueue(suffix = "", attributes: Record<string, string> = {}): Promise<string> {
  const name = `${unique}_${randomBytes(4).toString("hex")}${suffix}`;
  const fifo = suffix === ".fifo" && { FifoQueue: "true" };
  const made = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...fifo, ...attributes } }));
  return made.QueueUrl as string;
}

async function receive(queueUrl: string, count: number): Promise<SqsMessage[]> {
  const messages: SqsMessage[] = [];
  for (let empty = 0; messages.length < count && empty < 3;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    messages.push(...Messages);
    if (Messages.length === 0) empty++;
    else {
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }
  return messages;
}

function received({ Body = "", MessageAttributes = {} }: SqsMessage): Received {
  const { more = "{}", ...own } = Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue as string]),
  );
  const all = { ...own, ...(JSON.parse(more) as Record<string, string>) };
  const isBase64 = all["content-transfer-encoding"] === "base64";
  const entries = Object.entries(all);
  return {
    octets: Buffer.from(Body, isBase64 ? "base64" : "utf8"),
    contentType: all["content-type"],
    attributes: Object.fromEntries(
      entries.flatMap(([name, value]) => (name.startsWith("ce_") ? [[name.slice(3), value]] : [])),
    ),
    fields: Object.fromEntries(entries.filter(([name]) => !/^(?:ce_|content-)/.test(name))),
  };
}

const lacks = { traceparent: "stands by its own name", tracestate: "stands by its own name" };

emitterContract({
  name: "sqsEmitter, standard",
  isDeduplicated: false,
  isOrdered: false,
  isBinary: true,
  maxBytes: 262_144,
  lacks,
  open: async () => {
    const queueUrl = await createQueue();
    return {
      emitter: sqsEmitter({ client, queueUrl }),
      received: async (count) => (await receive(queueUrl, count)).map(received),
      close: async () => {},
    };
  },
});

emitterContract({
  name: "sqsEmitter, FIFO",
  isDeduplicated: true,
  isOrdered: true,
  isBinary: true,
  maxBytes: 1_048_576,
  lacks,
  open: async () => {
    const queueUrl = await createQueue(".fifo");
    return {
      emitter: sqsEmitter({ client, queueUrl, maxBytes: 1_048_576 }),
      received: async (count) => (await receive(queueUrl, count)).map(received),
      close: async () => {},
    };
  },
});

describe("sqsEmitter, with SQS", () => {
  it("never has more than ten attributes, whatever there is to tell [G2]", async () => {
    const queueUrl = await createQueue();
    const fields = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, "ü\t"]));
    const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" };
    const octets = Buffer.from("\0");
    await sqsEmitter({ client, queueUrl })(messageOf({ octets, fields: { ...fields, ...trace } }), contextOf());

    const [message] = await receive(queueUrl, 1);
    expect(Object.keys(message?.MessageAttributes ?? {})).toHaveLength(10);
    expect(received(message as SqsMessage).fields).toEqual({ ...fields, ...trace });
  });

  it("refuses with 413 what the queue says is too large, and not what came with it [G1, J1]", async () => {
    const queueUrl = await createQueue("", { MaximumMessageSize: "2048" });
    const { port } = await serveNode({ emitter: sqsEmitter({ client, queueUrl }) });
    const answers = await Promise.all([
      send(port, { body: JSON.stringify("x".repeat(3000)) }),
      send(port, { body: "7" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([413, 200]);
    expect(await receive(queueUrl, 1)).toHaveLength(1);
  });

  it("refuses with 503 where there is no such queue, and says so [J1]", async () => {
    const { port, lines } = await serveNode({
      emitter: sqsEmitter({ client, queueUrl: (await createQueue()).replace(/\w+$/, "none") }),
    });
    expect((await send(port, { body: "7" })).status).toBe(503);
    expect(lines.join()).toContain("There is no queue");
  });

  it("rejects where SQS cannot be reached [J1]", async () => {
    const cut = clientOf(await freePort());
    const emitter = sqsEmitter({ client: cut, queueUrl: QUEUE_URL });
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    cut.destroy();
  });

  it("settles where SQS never answers: the request is given up [J1]", async () => {
    let isGivenUp = false;
    const silent = createServer((socket) => socket.on("close", () => (isGivenUp = true)).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const waiting = clientOf((silent.address() as AddressInfo).port);
    const emitter = sqsEmitter({ client: waiting, queueUrl: QUEUE_URL, timeoutMs: 100 });
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await until(() => isGivenUp);
    waiting.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe("sqsEmitter", () => {
  type Entry = { Id: string; MessageBody: string; MessageAttributes: Record<string, { StringValue: string }> };
  const fake = (answer: (entries: readonly Entry[]) => object): SqsSender => ({
    send: async ({ input }: { input: { Entries: readonly Entry[] } }) => answer(input.Entries),
  });
  const emitTo = (client: SqsSender) => sqsEmitter({ client, queueUrl: QUEUE_URL })(messageOf(), contextOf());
  const throwing = (error: object): SqsSender =>
    fake(() => {
      throw Object.assign(new Error("x"), error);
    });

  it.each([
    [{ name: "RequestThrottled", $fault: "client" }],
    [{ name: "ThrottlingException", $fault: "client" }],
    [{ name: "OverLimit", $fault: "client" }],
    [{ name: "KmsThrottled", $fault: "client" }],
    [{ name: "InternalError", $fault: "server" }],
    [{ name: "TimeoutError" }],
    [{ name: "AbortError" }],
  ])("is busy at %j [J1]", async (error) => {
    await expect(emitTo(throwing(error))).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
  });

  it("leaves other failures as they are: a mistaken set-up drops nothing [J1]", async () => {
    const error = { name: "AccessDeniedException", $fault: "client" };
    await expect(emitTo(throwing(error))).rejects.toMatchObject(error);
  });

  it("confirms what SQS has confirmed by its id, and nothing else [J1]", async () => {
    const emitter = sqsEmitter({
      client: fake(() => ({
        Successful: [{ Id: "1" }],
        Failed: [
          { Id: "0", Code: "InternalError", SenderFault: false },
          { Id: "2", Code: "InvalidMessageContents", SenderFault: true },
          { Id: "3", Code: "AccessDenied", SenderFault: true, Message: "no" },
        ],
      })),
      queueUrl: QUEUE_URL,
    });
    const settled = await Promise.allSettled([0, 1, 2, 3, 4].map(() => emitter(messageOf(), contextOf())));
    expect(settled).toMatchObject([
      { reason: { code: "ERR_WEBHOOK_EMITTER_BUSY" } },
      { status: "fulfilled" },
      { reason: { code: "ERR_WEBHOOK_PERMANENT" } },
      { reason: { message: "SQS refuses the message (AccessDenied: no)." } },
      { reason: { message: "SQS has neither confirmed nor refused the message." } },
    ]);
  });

  it("sends up to ten together, and never more octets than SQS takes [J1]", async () => {
    const sizes: number[] = [];
    const client = fake((entries) => {
      sizes.push(entries.length);
      return { Successful: entries };
    });
    const emitter = sqsEmitter({ client, queueUrl: QUEUE_URL });
    const emitAll = (count: number, body: string) =>
      Promise.all(Array.from({ length: count }, () => emitter(messageOf({ body }), contextOf())));
    await emitAll(25, "7");
    await emitAll(3, JSON.stringify("x".repeat(100_000)));
    expect(sizes).toEqual([10, 10, 5, 2, 1]);
  });

  it("sends as text only what SQS takes as text [G1]", async () => {
    const seen: string[] = [];
    const client = fake((entries) => {
      for (const { MessageBody, MessageAttributes } of entries) {
        seen.push(`${MessageAttributes["content-transfer-encoding"]?.StringValue ?? "text"} ${MessageBody}`);
      }
      return { Successful: entries };
    });
    const emitter = sqsEmitter({ client, queueUrl: QUEUE_URL });
    for (const octets of [
      "\t\r\n ü🎉\uD7FF\uE000\uFFFD",
      "\x7F",
      "\uFEFF1",
      "\0",
      "\x0B",
      "\x1F",
      "\uFFFE",
      "\uFFFF",
    ]) {
      await emitter(messageOf({ octets: Buffer.from(octets) }), contextOf());
    }
    expect(seen).toEqual([
      "text \t\r\n ü🎉\uD7FF\uE000\uFFFD",
      "text \x7F",
      "text \uFEFF1",
      ...["\0", "\x0B", "\x1F", "\uFFFE", "\uFFFF"].map((text) => `base64 ${Buffer.from(text).toString("base64")}`),
    ]);
  });

  it("groups by the node where there is no groupId, by a digest where SQS would not take it [G1, J3]", async () => {
    type FifoEntry = Entry & { readonly MessageGroupId: string; readonly MessageDeduplicationId: string };
    const seen: FifoEntry[] = [];
    const client = fake((entries) => {
      seen.push(...(entries as readonly FifoEntry[]));
      return { Successful: entries };
    });
    const emitter = sqsEmitter({ client, queueUrl: `${QUEUE_URL}.fifo` });
    const messages = ["", "a/b", "customer 7", "x".repeat(129)].map((groupId) => messageOf({ groupId }));
    for (const message of messages) await emitter(message, contextOf());

    const digest = (group: string) => createHash("sha256").update(group, "utf16le").digest("hex");
    expect(seen.map(({ MessageGroupId }) => MessageGroupId)).toEqual([
      "orders",
      "a/b",
      digest("customer 7"),
      digest("x".repeat(129)),
    ]);
    expect(seen.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).toEqual(messages.map(({ key }) => key));
  });

  it("counts names, types and values of attributes, in octets [G1]", async () => {
    const sizes: number[] = [];
    const client = fake((entries) => {
      const [entry] = entries as [Entry & { MessageAttributes: Record<string, { DataType: string }> }];
      const attributes = Object.entries(entry.MessageAttributes).flatMap(([name, { DataType, StringValue }]) => [
        name,
        DataType,
        StringValue,
      ]);
      sizes.push(Buffer.byteLength(entry.MessageBody + attributes.join("")));
      return { Successful: entries };
    });
    const message = messageOf({ body: JSON.stringify("ü".repeat(1000)), eventType: "ü" });
    await sqsEmitter({ client, queueUrl: QUEUE_URL })(message, contextOf());
    const [size] = sizes as [number];

    await sqsEmitter({ client, queueUrl: QUEUE_URL, maxBytes: size })(message, contextOf());
    await expect(
      sqsEmitter({ client, queueUrl: QUEUE_URL, maxBytes: size - 1 })(message, contextOf()),
    ).rejects.toMatchObject({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
  });

  it("settles where the client never does [J1]", async () => {
    const client: SqsSender = { send: () => new Promise(() => {}) };
    await expect(
      sqsEmitter({ client, queueUrl: QUEUE_URL, timeoutMs: 50 })(messageOf(), contextOf()),
    ).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
  });

  it("refuses wrong options while the server starts [J1]", () => {
    const client: SqsSender = { send: async () => ({}) };
    const made = (options: object) => () => sqsEmitter({ client, queueUrl: QUEUE_URL, ...options });
    expect(made({ client: {} })).toThrow("client: an object is no SQSClient.");
    expect(made({ queueURL: "x" })).toThrow("Did you mean queueUrl?");
    expect(made({ queueUrl: "orders" })).toThrow("is no URL");
    expect(made({ maxBytes: 1_048_577 })).toThrow("more than SQS takes");
    expect(made({ maxBytes: "1mb" })).toThrow(TypeError);
    expect(made({ timeoutMs: 0 })).toThrow(TypeError);
  });
});
