/**
 * Emitter: NATS JetStream. A message is published to a stream, and acknowledged by it.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown, text } from "../request/options";
import { attributesOf } from "./attributes";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { percentEncoded } from "./percent-encoded";
import { tooLarge } from "./too-large";

/** What a stream answers: https://docs.nats.io/nats-concepts/jetstream/streams */
export type JetStreamAck = {
  /** The name of the stream that has the message. */
  readonly stream: string;
  /** Its place in the stream. */
  readonly seq: number;
  /** Whether the stream had it already: then `seq` is the place of the first one. */
  readonly duplicate: boolean;
};

/** The one method called on the client that `jetstream(connection)` of `@nats-io/jetstream` returns. */
export type JetStreamLike = {
  publish(
    subject: string,
    payload: Uint8Array,
    options?: { msgID?: string; timeout?: number; headers?: unknown; expect?: { streamName?: string } },
  ): Promise<JetStreamAck>;
};

/** What is called on the connection that `connect()` of `@nats-io/transport-node` returns. */
export type NatsConnectionLike = {
  readonly info?: { readonly max_payload: number } | undefined;
  isClosed(): boolean;
  isDraining(): boolean;
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
};

export type JetStreamEmitterOptions = {
  /** `jetstream(connection)`. It is borrowed: the emitter closes nothing. */
  readonly client: JetStreamLike;
  /**
   * The connection that the client was made of: it tells when the emitter is cut off from its server.
   *
   * @defaultValue the client's own, which clients of `@nats-io/jetstream` hold
   */
  readonly connection?: NatsConnectionLike | undefined;
  /** The subject, without wildcards, or a function that makes one of each message. */
  readonly subject: string | ((message: Message) => string);
  /** The stream that must be the one to take it; another one's would be refused. Absent, any stream with the subject will do. */
  readonly stream?: string | undefined;
  /**
   * How long to wait for the stream, in milliseconds. A message may be stored although it was over: sent again, it is the
   * same to the stream within its duplicate window.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["client", "connection", "stream", "subject", "timeoutMs"];

/** https://docs.nats.io/nats-concepts/subjects: tokens between dots; `*` and `>` are for subscribers. */
const SUBJECT = /^[^\s.*>\0]+(?:\.[^\s.*>\0]+)*$/;

/** Headers that NATS itself reads, and those that carry the attributes. */
const RESERVED = /^(?:nats-|ce-)/i;

// nats-server, server/errors.json
const MESSAGE_TOO_LARGE = 10054;
const ACCOUNT_LIMIT = 10002;

/**
 * Creates an emitter that settles once a JetStream stream has acknowledged the message, and resolves to its acknowledgement.
 *
 * - **Promise:** at least once. What was acknowledged is as safe as the stream: `storage: "file"`, three `num_replicas` where it
 *   is to outlive a server, and `sync_interval: always` in the server's configuration where it is to outlive a power cut: else
 *   the server acknowledges first, and flushes to disk every two minutes. With `discard: "new"` a full stream refuses (503,
 *   `Retry-After`); with `"old"`, NATS's default, it drops its oldest messages.
 * - **Deduplication:** by the stream, which is given `message.key` as `Nats-Msg-Id`, for its `duplicate_window`: two minutes
 *   unless told otherwise. Senders try again for hours, so make it longer, or let the consumer look at `ce-id`.
 * - **Order:** as handed over, for one connection.
 * - **Headers:** CloudEvents' NATS binding in binary mode: `ce-id`, `ce-type`, ... and the content type in
 *   `ce-datacontenttype`, percent-encoded; header fields of the delivery by their own names. The payload is the octets.
 *
 * 503: no stream takes the subject, the stream is full, or the connection is closed or cut off, which is told at once: nothing
 * waits for a reconnect. 413: larger than the server's `max_payload` or the stream's `max_msg_size`, headers counted.
 *
 * @throws TypeError at start, for options that are wrong.
 *
 * @example
 * ```ts
 * const connection = await connect({ servers: "nats://127.0.0.1:4222" });
 * jetStreamEmitter({ client: jetstream(connection), subject: "webhooks.github" });
 * ```
 */
export function jetStreamEmitter(options: JetStreamEmitterOptions): Emitter {
  checkOptions("jetStreamEmitter", options, WORDS);
  const { client, stream, timeoutMs = 5000 } = options;
  if (typeof (client as Partial<JetStreamLike> | null | undefined)?.publish !== "function") {
    throw new TypeError(`client: ${shown(client)} has no publish(): pass jetstream(connection) of @nats-io/jetstream.`);
  }
  const connection = options.connection ?? (client as { nc?: NatsConnectionLike }).nc;
  if (typeof connection?.status !== "function") {
    throw new TypeError(`connection: ${shown(connection)} is none: pass the one that the client was made of.`);
  }
  const headers = loadHeaders();
  const subjectOf = destinationOf(
    "subject",
    options.subject,
    SUBJECT,
    "A subject is words joined by dots, as orders.new.",
  );
  const expect = stream === undefined ? {} : { expect: { streamName: text("stream", stream) } };
  positiveInteger("timeoutMs", timeoutMs);
  const line = lineOf(connection);

  return async function jetStreamEmitter(message: Message): Promise<JetStreamAck> {
    if (line.isDown || connection.isClosed() || connection.isDraining()) {
      throw new BusyError("NATS: the connection is closed, or cut off from its server.");
    }
    const subject = subjectOf(message);
    const lines = headerLines(message);
    const maxBytes = connection.info?.max_payload ?? Infinity;
    if (sizeOf(lines, message.key) + message.octets.length > maxBytes) {
      throw tooLarge(maxBytes, "NATS: the server's max_payload bounds a message.");
    }
    const fields = headers();
    // No two have the same name, so there is nothing that set() would have to look for and remove.
    for (const [name, value] of lines) fields.append(name, value);
    try {
      const published = client.publish(subject, message.octets, {
        msgID: message.key,
        timeout: timeoutMs,
        headers: fields,
        ...expect,
      });
      const ack = await untilLost(line, published);
      // Anybody may answer on a subject; an acknowledgement names the stream.
      if (typeof ack.stream === "string" && ack.stream !== "") return ack;
    } catch (error) {
      if ((error as Partial<Error> | null)?.name === "TimeoutError") void probe(connection, line);
      throw failure(error, subject);
    }
    throw new Error(`NATS: what answered on ${subject} is no stream, so nothing tells that the message is safe.`);
  };
}

/** What is called on the headers that `headers()` of `@nats-io/transport-node` makes. */
type Headers = { append(name: string, value: string): void };

function loadHeaders(): () => Headers {
  try {
    return (require("@nats-io/transport-node") as { readonly headers: () => Headers }).headers;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    throw new TypeError(
      "jetStreamEmitter: it needs the package @nats-io/transport-node: npm install @nats-io/transport-node",
      { cause: error },
    );
  }
}

function headerLines(message: Message): [string, string][] {
  const lines = carriedFields(message, (name) => RESERVED.test(name));
  for (const [name, value] of Object.entries(attributesOf(message))) lines.push([`ce-${name}`, percentEncoded(value)]);
  lines.push(["ce-datacontenttype", percentEncoded(contentTypeOf(message))]);
  return lines;
}

/** The octets of the header block: https://docs.nats.io/reference/reference-protocols/nats-protocol#hpub */
function sizeOf(lines: readonly [string, string][], key: string): number {
  let bytes = "NATS/1.0\r\n\r\n".length + "Nats-Msg-Id".length + key.length + 4;
  for (const [name, value] of lines) bytes += name.length + Buffer.byteLength(value) + 4;
  return bytes;
}

/** The errors of `@nats-io/jetstream`, told by their names and codes, which are the same in two copies of it. */
function failure(error: unknown, subject: string): unknown {
  const { name, code, status, message } = error as { name?: string; code?: number; status?: number; message?: string };
  switch (name) {
    case "TimeoutError":
      return new BusyError("NATS: the stream did not answer in time. It may have the message: at least once.", {
        cause: error,
      });
    case "ClosedConnectionError":
    case "DrainingConnectionError":
      return new BusyError("NATS: the connection is closed.", { cause: error });
    case "JetStreamNotEnabled":
      return new Error(
        `NATS: no stream takes ${subject}: add it to a stream's subjects. Or JetStream is not enabled.`,
        {
          cause: error,
        },
      );
    case "JetStreamApiError":
      if (code === MESSAGE_TOO_LARGE) return tooLarge(undefined, "NATS: the stream's max_msg_size bounds it.", error);
      if (code === ACCOUNT_LIMIT || (typeof status === "number" && status >= 500)) {
        return new BusyError(`NATS: the stream does not take the message now: ${message}.`, { cause: error });
      }
      return error;
    default:
      return error;
  }
}

/** Whether a connection is cut off. One record for all emitters of a connection. */
type Line = { isDown: boolean; readonly whenLost: Set<() => void> };

const lines = new WeakMap<NatsConnectionLike, Line>();

function lineOf(connection: NatsConnectionLike): Line {
  const known = lines.get(connection);
  if (known) return known;
  const line: Line = { isDown: connection.info === undefined, whenLost: new Set() };
  lines.set(connection, line);
  void watch(connection, line);
  return line;
}

async function watch(connection: NatsConnectionLike, line: Line): Promise<void> {
  try {
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "reconnecting") line.isDown = true;
      else if (type === "reconnect") line.isDown = false;
      if (type === "disconnect") line.whenLost.forEach((lost) => lost());
    }
  } catch {
    // The state that was told last stays.
  }
}

/** What is on its way when the connection is lost is not answered by the next one, so it need not wait for its time-out. */
function untilLost<T>(line: Line, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const lost = (): void =>
      reject(new BusyError("NATS: the connection was lost. The stream may have the message: at least once."));
    line.whenLost.add(lost);
    work.then(
      (value) => (line.whenLost.delete(lost), resolve(value)),
      (error: unknown) => (line.whenLost.delete(lost), reject(error)),
    );
  });
}

/**
 * After a time-out: asks the server for a sign of life, and lets no message in before it. A connection may be dead for
 * minutes before the client finds out, and would hold all that is written to it.
 */
async function probe(connection: NatsConnectionLike, line: Line): Promise<void> {
  if (line.isDown) return;
  line.isDown = true;
  try {
    await connection.flush();
    line.isDown = false;
  } catch {
    // Disconnected meanwhile: a reconnect lifts it.
  }
}
