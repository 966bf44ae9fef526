/**
 * Emitter: AMQP 0-9-1, as RabbitMQ speaks it. A message is published to an exchange, routed to a queue, and confirmed.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkFunction, checkOptions, positiveInteger, shown, text } from "../request/options";
import { lineOf, type AmqpProperties, type ConfirmChannelLike } from "./amqp-line";
import { attributesOf } from "./attributes";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { tooLarge } from "./too-large";

export type { AmqpProperties, ConfirmChannelLike } from "./amqp-line";

export type AmqpEmitterOptions = {
  /**
   * A confirm channel, or a function that returns the current one, or `undefined` while there is none. Reconnecting is up to
   * the app; with a function the emitter goes on by the new channel.
   */
  readonly channel: ConfirmChannelLike | (() => ConfirmChannelLike | undefined);
  /**
   * The exchange. It must exist: RabbitMQ closes the channel otherwise.
   *
   * @defaultValue the default exchange, which routes to the queue that the routing key names
   */
  readonly exchange?: string | undefined;
  /** The routing key, 255 bytes at most, or a function that makes one of each message. */
  readonly routingKey: string | ((message: Message) => string);
  /**
   * Largest body, in bytes. A larger one is refused with `ERR_WEBHOOK_BODY_TOO_LARGE` (413). RabbitMQ closes the channel for what
   * is larger than its `max_message_size`.
   *
   * @defaultValue `16_777_216` (16 MiB), RabbitMQ's own since version 4
   */
  readonly maxBytes?: number | undefined;
  /**
   * How long to wait for the confirmation, in milliseconds. A message may be in its queue although it was over.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["channel", "exchange", "maxBytes", "routingKey", "timeoutMs"];

// AMQP 0-9-1, section 4.2.5.3: names, keys and properties are short strings.
const MAX_SHORT = 255;
/** `amqplib` writes headers into a buffer of 64 KiB; what else a header frame holds takes less than one. */
const MAX_HEADERS = 65_000;
const REST_OF_FRAME = 1024;

/** Headers that carry the attributes, and those that RabbitMQ or a plug-in of it reads. */
const RESERVED =
  /^(?:cloudevents[:_]|b?cc$|x-(?:death|first-death|last-death|delay|delivery-count|acquired-count|opt-|stream-|dedup|cache-|received-from|match$))/i;

/**
 * Creates an emitter that settles once the broker has confirmed the message: https://www.rabbitmq.com/docs/confirms
 *
 * - **Promise:** at least once. Messages are persistent; they outlive a restart in a durable queue, and the loss of a server in a
 *   quorum queue. They are mandatory: what is routed to no queue is rejected (503), as the exchange would drop it.
 * - **Deduplication:** none by RabbitMQ. `messageId` is `message.key`: the consumer may look at it.
 * - **Order:** as handed over, for one channel and one queue.
 * - **Properties:** `messageId`, `timestamp`, and `contentType` (left out beyond 255 bytes). Headers: CloudEvents' AMQP binding
 *   in binary mode, `cloudEvents_id`, `cloudEvents_type`, ...; header fields of the delivery by their own names. The content is
 *   the octets.
 *
 * 503: the channel is closed, which rejects all that is not confirmed on it; the broker is short of memory or disk, and
 * blocks the connection; the queue is full and rejects (`overflow: "reject-publish"`). Let heartbeats be on: they tell of a dead
 * connection. `amqplib` emits `error` on channel and connection, so listen for it.
 *
 * @throws TypeError at start, for options that are wrong.
 *
 * @example
 * ```ts
 * let channel: ConfirmChannel | undefined;
 * const setup = async (connection: ChannelModel) => {
 *   const made = await connection.createConfirmChannel();
 *   made.on("error", console.error).on("close", () => (channel = undefined));
 *   await made.assertQueue("webhooks", { durable: true, arguments: { "x-queue-type": "quorum" } });
 *   channel = made;
 * };
 * await connect("amqp://127.0.0.1", { recovery: { setup } });
 * amqpEmitter({ channel: () => channel, routingKey: "webhooks" });
 * ```
 */
export function amqpEmitter(options: AmqpEmitterOptions): Emitter {
  checkOptions("amqpEmitter", options, WORDS);
  const { maxBytes = 16_777_216, timeoutMs = 5000 } = options;
  const exchange = options.exchange === undefined ? "" : text("exchange", options.exchange);
  if (!isShort(exchange)) throw new TypeError(`exchange: ${shown(exchange)} is longer than ${MAX_SHORT} bytes.`);
  // Exchanges that route by something else are given an empty key.
  const grammar = exchange === "" ? /^[^\0]{1,255}$/ : /^[^\0]{0,255}$/;
  const routingKeyOf = destinationOf("routingKey", options.routingKey, grammar, "It has 255 bytes at most.");
  if (typeof options.routingKey === "string" && !isShort(options.routingKey)) {
    throw new TypeError(`routingKey: ${shown(options.routingKey)} is longer than ${MAX_SHORT} bytes.`);
  }
  positiveInteger("maxBytes", maxBytes);
  positiveInteger("timeoutMs", timeoutMs);
  const channelOf = currentChannel(options.channel);

  return async function amqpEmitter(message: Message): Promise<void> {
    const channel = channelOf();
    if (channel === undefined) throw new BusyError("AMQP: there is no channel at present.");
    const line = lineOf(channel);
    line.check();
    const routingKey = routingKeyOf(message);
    if (!isShort(routingKey)) throw new Error(`routingKey: the function returned more than ${MAX_SHORT} bytes.`);
    if (message.octets.length > maxBytes) throw tooLarge(maxBytes, "amqpEmitter's maxBytes bounds a message.");
    const properties = propertiesOf(message);
    checkSize(properties.headers, line.frameMax);
    await line.publish({ exchange, routingKey, properties, content: message.octets }, timeoutMs);
  };
}

function isShort(value: string): boolean {
  return Buffer.byteLength(value) <= MAX_SHORT;
}

function currentChannel(channel: AmqpEmitterOptions["channel"]): () => ConfirmChannelLike | undefined {
  if (typeof channel === "function") return checkFunction("channel", channel);
  if (typeof (channel as Partial<ConfirmChannelLike> | null | undefined)?.waitForConfirms !== "function") {
    throw new TypeError(
      `channel: ${shown(channel)} is no confirm channel: pass what createConfirmChannel() of amqplib resolves to.`,
    );
  }
  return () => channel;
}

function propertiesOf(message: Message): AmqpProperties {
  const headers = Object.fromEntries(carriedFields(message, (name) => RESERVED.test(name) || !isShort(name)));
  for (const [name, value] of Object.entries(attributesOf(message))) headers[`cloudEvents_${name}`] = value;
  return {
    mandatory: true,
    persistent: true,
    messageId: message.key,
    contentType: [contentTypeOf(message), message.mediaType].find((type) => type !== undefined && isShort(type)),
    timestamp: Math.floor(message.receivedAt.getTime() / 1000),
    headers,
  };
}

/** Headers share one frame: the broker closes the connection for a longer one. */
function checkSize(headers: Record<string, string>, frameMax: number): void {
  const maxBytes = Math.min(MAX_HEADERS, frameMax - REST_OF_FRAME);
  // A name has its length before it, a value its type and length: AMQP 0-9-1, section 4.2.5.5.
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 6;
  if (bytes > maxBytes) throw tooLarge(undefined, `AMQP: ${bytes} bytes of headers are more than ${maxBytes}.`);
}
