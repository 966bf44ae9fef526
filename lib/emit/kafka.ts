/**
 * Emitter: Kafka. Messages that come at the same time are produced together, and acknowledged by all in-sync replicas.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown } from "../request/options";
import { attributesOf } from "./attributes";
import { batcher } from "./batch";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { tooLarge } from "./too-large";

/** The one method called on a producer of `kafkajs`, or of `@confluentinc/kafka-javascript`, whose `KafkaJS` has it, too. */
export type KafkaProducerLike = {
  send(record: { topic: string; messages: KafkaMessage[] }): Promise<unknown>;
};

/** A record as it is produced. */
export type KafkaMessage = {
  key: string | null;
  value: Buffer;
  headers: Record<string, string>;
};

export type KafkaEmitterOptions = {
  /** A connected producer. It is borrowed: the emitter connects and disconnects nothing. */
  readonly producer: KafkaProducerLike;
  /** The topic, or a function that makes one of each message. */
  readonly topic: string | ((message: Message) => string);
  /**
   * The largest message, in bytes with what is told beside it, and the most bytes of a batch: no more than the topic's
   * `max.message.bytes`.
   *
   * @defaultValue `1_048_588`, Kafka's own default
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * How long a message may take, in milliseconds. The client may still be at it then, so one that is over may be stored.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["maxMessageBytes", "producer", "timeoutMs", "topic"];

/** Kafka's `Topic.java`: at most 249 characters, and neither of two names of folders. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;

/** What carries the attributes: a sender must not set it. */
const RESERVED = /^(?:ce_|content-type$)/i;

const MAX_ITEMS = 500;

// https://kafka.apache.org/documentation/#messageformat: at most, of a batch, of a record, and of one header.
const BATCH_BYTES = 61;
const RECORD_BYTES = 40;
const HEADER_BYTES = 10;

// https://kafka.apache.org/protocol#protocol_error_codes
const TOO_LARGE = [10, 18];
/** librdkafka's: its own queue is full. */
const QUEUE_FULL = -184;

type Addressed = { readonly topic: string; readonly message: KafkaMessage };

/**
 * Creates an emitter that settles once the topic's leader, and the replicas in sync with it, have the message.
 *
 * - **Promise:** at least once. `acks` is left to the producer, whose default is all in-sync replicas (`-1`) with both clients;
 *   a topic with three replicas and `min.insync.replicas=2` outlives a broker. Messages that come together are one batch: where
 *   it fails, all of them are 503, though some may be stored.
 * - **Deduplication:** none between deliveries: let the consumer look at `ce_id`, or use `deduplicate`. `idempotent: true` of
 *   the producer only spares what the client itself sends twice.
 * - **Order:** as handed over, in each partition. `groupId` is the record's key, and so tells the partition; without one the
 *   key is absent, and the client spreads the load.
 * - **Headers:** CloudEvents' Kafka binding in binary mode: `content-type`, and the attributes as `ce_id`, `ce_type`, ...;
 *   header fields of the delivery by their own names. The value is the octets.
 *
 * 503: the producer is not connected, or the cluster does not answer. While it does not answer, no more than a batch of 500 is
 * with the client, and what comes is refused at once. 413: larger than `maxMessageBytes`, or than the topic takes.
 *
 * @throws TypeError at start, for options that are wrong.
 *
 * @example
 * ```ts
 * const producer = new Kafka({ brokers: ["127.0.0.1:9092"] }).producer({ idempotent: true, maxInFlightRequests: 1 });
 * await producer.connect();
 * kafkaEmitter({ producer, topic: "webhooks" });
 * ```
 */
export function kafkaEmitter(options: KafkaEmitterOptions): Emitter {
  checkOptions("kafkaEmitter", options, WORDS);
  const { producer, maxMessageBytes = 1_048_588, timeoutMs = 5000 } = options;
  if (typeof (producer as Partial<KafkaProducerLike> | null | undefined)?.send !== "function") {
    throw new TypeError(`producer: ${shown(producer)} has no send(): pass a producer of kafkajs.`);
  }
  const topicOf = destinationOf(
    "topic",
    options.topic,
    TOPIC,
    "Topics have letters, digits, dots, hyphens and underscores.",
  );
  positiveInteger("maxMessageBytes", maxMessageBytes);
  positiveInteger("timeoutMs", timeoutMs);
  let sentAt: number | undefined;

  const produce = batcher<Addressed>({
    send: async (records) => {
      sentAt = performance.now();
      try {
        return await sendAll(producer, records);
      } finally {
        sentAt = undefined;
      }
    },
    maxItems: MAX_ITEMS,
    maxBytes: maxMessageBytes - BATCH_BYTES,
    bytesOf: ({ message }) => bytesOf(message),
    timeoutMs,
  });

  return async function kafkaEmitter(message: Message, context): Promise<void> {
    // kafkajs tries for half a minute to reach a cluster that is gone. None has to wait behind that.
    if (sentAt !== undefined && performance.now() - sentAt > timeoutMs) {
      throw new BusyError("Kafka: the cluster does not answer.");
    }
    const record = { topic: topicOf(message), message: recordOf(message) };
    if (bytesOf(record.message) + BATCH_BYTES > maxMessageBytes) {
      throw tooLarge(
        maxMessageBytes,
        "Kafka: maxMessageBytes bounds a message, as the topic's max.message.bytes does.",
      );
    }
    await produce(record, context);
  };
}

function recordOf(message: Message): KafkaMessage {
  const headers: Record<string, string> = Object.fromEntries(carriedFields(message, (name) => RESERVED.test(name)));
  headers["content-type"] = contentTypeOf(message);
  for (const [name, value] of Object.entries(attributesOf(message))) headers[`ce_${name}`] = value;
  return { key: message.groupId ?? null, value: message.octets, headers };
}

function bytesOf({ key, value, headers }: KafkaMessage): number {
  let bytes = RECORD_BYTES + value.length + Buffer.byteLength(key ?? "");
  for (const [name, text] of Object.entries(headers)) bytes += HEADER_BYTES + name.length + Buffer.byteLength(text);
  return bytes;
}

/** Sends a batch, and says what became of each of its records. */
async function sendAll(producer: KafkaProducerLike, records: readonly Addressed[]): Promise<(Error | undefined)[]> {
  const topics = new Map<string, Addressed[]>();
  for (const record of records) {
    const ofTopic = topics.get(record.topic);
    if (ofTopic) ofTopic.push(record);
    else topics.set(record.topic, [record]);
  }
  const failures = new Map<Addressed, Error>();
  await Promise.all(
    [...topics].map(async ([topic, ofTopic]) => {
      for (const [record, error] of await sendTo(producer, topic, ofTopic)) failures.set(record, error);
    }),
  );
  return records.map((record) => failures.get(record));
}

/** Resolves to those that failed, and why. */
async function sendTo(
  producer: KafkaProducerLike,
  topic: string,
  records: readonly Addressed[],
): Promise<[Addressed, Error][]> {
  try {
    await producer.send({ topic, messages: records.map(({ message }) => message) });
    return [];
  } catch (error) {
    if (records.length === 1 || !isTooLarge(error)) {
      return records.map((record) => [record, failure(error)]);
    }
    // One is larger than this topic takes. It must not be the others' end, now and each time that its sender tries again.
    const failed: [Addressed, Error][] = [];
    for (const record of records) failed.push(...(await sendTo(producer, topic, [record])));
    return failed;
  }
}

function isTooLarge(error: unknown): boolean {
  return TOO_LARGE.includes((error as { code?: number } | null)?.code as number);
}

/** The errors of both clients, told by what they say of themselves. */
function failure(error: unknown): Error {
  if (isTooLarge(error)) return tooLarge(undefined, "Kafka: the topic's max.message.bytes bounds a message.", error);
  const { code, name, message, cause } = error as { code?: number } & Partial<Error>;
  if (isPassing(error) || isPassing(cause) || code === QUEUE_FULL || name === "KafkaJSNumberOfRetriesExceeded") {
    return new BusyError(`Kafka: the message is not taken now: ${message}.`, { cause: error });
  }
  return error instanceof Error ? error : new Error("Kafka: the message was not taken.", { cause: error });
}

function isPassing(error: unknown): boolean {
  return (error as { retriable?: unknown } | null | undefined)?.retriable === true;
}
