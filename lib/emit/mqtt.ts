/**
 * Emitter: MQTT 5. A message is published, and acknowledged by the broker.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, eitherOf, positiveInteger, shown } from "../request/options";
import { attributesOf } from "./attributes";
import { batcher } from "./batch";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { tooLarge } from "./too-large";

/** What is asked of the client that `connect()` of `mqtt` (MQTT.js) returns. */
export type MqttClientLike = {
  readonly connected: boolean;
  readonly options: { readonly protocolVersion?: number | undefined };
  on(event: "packetreceive", listener: (packet: MqttPacket) => void): unknown;
  publishAsync(topic: string, payload: Buffer, options: MqttPublication): Promise<unknown>;
};

/** A packet that the broker has sent. */
export type MqttPacket = {
  readonly cmd: string;
  readonly messageId?: number | undefined;
  readonly reasonCode?: number;
};

/** How a message is published. MQTT 5.0 section 3.3.2.3. */
export type MqttPublication = {
  qos: 1 | 2;
  properties: { contentType: string; userProperties: Record<string, string> };
};

export type MqttEmitterOptions = {
  /** A client with `protocolVersion: 5`. It is borrowed: the emitter closes nothing. */
  readonly client: MqttClientLike;
  /** The topic, without wildcards, or a function that makes one of each message. */
  readonly topic: string | ((message: Message) => string);
  /**
   * Quality of service: with `2` the broker also takes a message once that the client sends again after a reconnect.
   *
   * @defaultValue `1`
   */
  readonly qos?: 1 | 2 | undefined;
  /**
   * What is done where the broker says that nobody subscribes to the topic, so that it has thrown the message away: `refuse`
   * is 503. Only some brokers tell (Mosquitto does so for QoS 1).
   *
   * @defaultValue `"refuse"`
   */
  readonly withoutSubscribers?: "refuse" | "accept" | undefined;
  /**
   * How many messages may wait for their acknowledgement at a time; others wait for those. No more than the broker's Receive
   * Maximum, or it hangs up: Mosquitto's is 20.
   *
   * @defaultValue `10`
   */
  readonly maxInFlight?: number | undefined;
  /**
   * How long to wait for the acknowledgement, in milliseconds. The client sends what was on its way again after a reconnect,
   * so a message may arrive although it was over.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["client", "maxInFlight", "qos", "timeoutMs", "topic", "withoutSubscribers"];

/** MQTT 5.0 section 4.7: without wildcards, at most 65,535 octets. */
const TOPIC = /^[^+#\p{Cc}\p{Cs}]{1,16383}$/u;

/** Attributes that a message need not have: a sender must not give it one. */
const RESERVED = ["deliveryid", "sender", "partitionkey", "datacontenttype", "dataschema", "subject"];

/** MQTT 5.0 section 3.4.2.1. */
const NO_SUBSCRIBERS = 0x10;
const PACKET_TOO_LARGE = 0x95;
const QUOTA_EXCEEDED = 0x97;

/** MQTT 5.0 section 2.1.4: the largest Remaining Length. */
const LARGEST = 268_435_455;

type Publication = {
  readonly topic: string;
  readonly octets: Buffer;
  readonly properties: MqttPublication["properties"];
};

/**
 * Creates an emitter that settles once the broker has acknowledged the message: PUBACK, or with QoS 2 PUBCOMP.
 *
 * - **Promise:** at least once, to the broker, which keeps it for subscribers that have a session (`clean: false`, a Session
 *   Expiry Interval), and drops what their queues have no room for. Mosquitto holds sessions in memory: even with `persistence`
 *   it saves them every half an hour (`autosave_interval`), so a crash loses what it has acknowledged since.
 * - **Deduplication:** none in MQTT: a delivery that is sent again is published again. Let the consumer look at `id`, or use
 *   `deduplicate`.
 * - **Order:** as handed over, for one topic, but for what is sent again.
 * - **Properties:** CloudEvents' MQTT binding in binary mode: the content type in Content Type, each attribute in a User
 *   Property by its own name (`id`, `type`, ...), and the delivery's header fields by theirs. The payload is the octets.
 *
 * 503: the client is not connected, which is told at once (nothing waits for a reconnect), the broker's quota is used up, or
 * nobody subscribes. 413: larger than the broker's Maximum Packet Size.
 *
 * @throws TypeError at start, for options that are wrong, and for a client of MQTT 3.1.1: it has no place for properties.
 *
 * @example
 * ```ts
 * const client = await connectAsync("mqtt://127.0.0.1", { protocolVersion: 5 });
 * mqttEmitter({ client, topic: ({ node }) => `webhooks/${node}` });
 * ```
 */
export function mqttEmitter(options: MqttEmitterOptions): Emitter {
  checkOptions("mqttEmitter", options, WORDS);
  const { client, qos = 1, withoutSubscribers = "refuse", maxInFlight = 10, timeoutMs = 5000 } = options;
  const { publishAsync, on, options: settings } = (client ?? {}) as Partial<MqttClientLike>;
  if (typeof publishAsync !== "function" || typeof on !== "function") {
    throw new TypeError(`client: ${shown(client)} has no publishAsync(): pass a client of mqtt 5.`);
  }
  if (settings?.protocolVersion !== 5) {
    throw new TypeError("client: it does not speak MQTT 5: connect it with protocolVersion: 5.");
  }
  if (qos !== 1 && qos !== 2)
    throw new TypeError(`qos: ${shown(qos)} is neither 1 nor 2; with 0 nothing is acknowledged.`);
  eitherOf("withoutSubscribers", withoutSubscribers, "refuse", "accept");
  const topicOf = destinationOf("topic", options.topic, TOPIC, "A topic is words joined by slashes, as orders/new.");
  const unheard = withoutSubscribers === "refuse" ? unheardOf(client) : undefined;

  const publish = batcher<Publication>({
    send: async ([publication]) => {
      const { topic, octets, properties } = publication as Publication;
      if (!client.connected) throw disconnected();
      const packet = await client.publishAsync(topic, octets, { qos, properties }).catch(refused);
      if (unheard?.has((packet as Partial<MqttPacket> | undefined)?.messageId)) {
        throw new Error(`MQTT: nobody subscribes to ${topic}, so nobody has the message.`);
      }
    },
    maxItems: 1,
    concurrency: positiveInteger("maxInFlight", maxInFlight),
    timeoutMs: positiveInteger("timeoutMs", timeoutMs),
  });

  return async function mqttEmitter(message: Message, context): Promise<void> {
    // The client would keep it until it is connected again, and all that come with it.
    if (!client.connected) throw disconnected();
    const { maximumQoS = 2, maximumPacketSize = LARGEST } = limitsOf(client);
    if (maximumQoS < qos) throw new Error(`MQTT: the broker takes QoS ${maximumQoS} at most, and qos is ${qos}.`);
    const publication = { topic: topicOf(message), octets: message.octets, properties: propertiesOf(message) };
    if (sizeOf(publication) > maximumPacketSize) {
      throw tooLarge(maximumPacketSize, "MQTT: the broker's Maximum Packet Size bounds a message.");
    }
    await publish(publication, context);
  };
}

function disconnected(): BusyError {
  return new BusyError("MQTT: the client is not connected.");
}

function propertiesOf(message: Message): MqttPublication["properties"] {
  const attributes = attributesOf(message);
  const userProperties: Record<string, string> = { ...attributes };
  for (const [name, value] of carriedFields(message, (name) => name in attributes || RESERVED.includes(name))) {
    userProperties[name] = value;
  }
  return { contentType: contentTypeOf(message), userProperties };
}

/** What the broker told when it accepted the connection, where the client shows it. MQTT 5.0 section 3.2.2.3. */
type Limits = { readonly maximumQoS?: number; readonly maximumPacketSize?: number };

function limitsOf(client: object): Limits {
  return (client as { connackPacket?: { properties?: Limits } }).connackPacket?.properties ?? {};
}

/** The octets of a PUBLISH packet. MQTT 5.0 section 3.3. */
function sizeOf({ topic, octets, properties }: Publication): number {
  let size = 3 + Buffer.byteLength(properties.contentType);
  for (const [name, value] of Object.entries(properties.userProperties)) {
    size += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  // A client that assigns topic aliases adds another property.
  size += 3;
  return withLength(2 + Buffer.byteLength(topic) + 2 + withLength(size) + octets.length) + 1;
}

/** MQTT 5.0 section 1.5.5: seven bits of a length in each octet. */
function withLength(size: number): number {
  return size + (size < 128 ? 1 : size < 16_384 ? 2 : size < 2_097_152 ? 3 : 4);
}

function refused(error: unknown): never {
  switch ((error as { code?: unknown } | null)?.code) {
    case PACKET_TOO_LARGE:
      throw tooLarge(undefined, "MQTT: the broker bounds the size of a message.", error);
    case QUOTA_EXCEEDED:
      throw new BusyError("MQTT: the broker's quota is used up.", { cause: error });
    default:
      throw error;
  }
}

/** The ids of messages which the broker acknowledged last, and had nobody for. One set for all emitters of a client. */
const unheardOfClient = new WeakMap<MqttClientLike, Set<number | undefined>>();

function unheardOf(client: MqttClientLike): ReadonlySet<number | undefined> {
  const known = unheardOfClient.get(client);
  if (known) return known;
  const unheard = new Set<number | undefined>();
  unheardOfClient.set(client, unheard);
  // An id is used again, so what was said of it last counts.
  client.on("packetreceive", ({ cmd, messageId, reasonCode }) => {
    if (cmd !== "puback" && cmd !== "pubrec") return;
    if (reasonCode === NO_SUBSCRIBERS) unheard.add(messageId);
    else unheard.delete(messageId);
  });
  return unheard;
}
