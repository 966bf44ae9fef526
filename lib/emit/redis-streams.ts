/**
 * Emitter: a stream of Redis or Valkey.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger } from "../request/options";
import { answersOf } from "./answers";
import { attributesOf } from "./attributes";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { destinationOf } from "./destination";
import { redisCommand, type RedisClient } from "./redis-command";
import { isCutOff, redisFailure, type ConnectionStatus } from "./redis-failure";

/** Where a message is in its stream. */
export type RedisStreamEntry = {
  /** The id of the entry: `1526919030474-55`. */
  readonly id: string;
  /** Whether the message was there already, within `windowSeconds`: `id` is that of the first one then. */
  readonly isDuplicate: boolean;
};

export type RedisStreamsEmitterOptions = {
  /** A connected client of `redis` (4 or later) or `ioredis` (5 or later), also its `Cluster`. It stays the app's. */
  readonly client: RedisClient;
  /** The key of the stream, which is made by the first message, or a function that tells it of each message. */
  readonly stream: string | ((message: Message) => string);
  /**
   * About how many entries the stream keeps (`MAXLEN ~`). Older ones are dropped, read or not: make it as large as the longest
   * outage of its readers asks for.
   *
   * @defaultValue all: the readers trim
   */
  readonly maxLength?: number | undefined;
  /**
   * How long a message counts as there already, in seconds; `false` for no deduplication. Redis holds a key for each message as
   * long, about 200 bytes.
   *
   * @defaultValue `3_600` (one hour)
   */
  readonly windowSeconds?: number | false | undefined;
  /**
   * How long to wait for Redis, in milliseconds. A message may be in the stream although it was over.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["client", "maxLength", "stream", "timeoutMs", "windowSeconds"];

/**
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags: a name with a hash tag, or one that can
 * be made a tag.
 */
const STREAM = /^(?:[^{]*\{[^}]+\}[^]*|[^}]+)$/;
const TAGGED = /^[^{]*\{[^}]+\}/;

/** What an entry holds besides header fields and attributes. */
const RESERVED = /^(?:data|content-type|ce_.*)$/i;

/** Adds an entry unless the message has one. A script is done as a whole; where `XADD` fails, nothing is remembered. */
const ADD_ONCE = `
local id = redis.call("GET", KEYS[2])
if id then return {id, 1} end
id = redis.call("XADD", KEYS[1], unpack(ARGV, 2))
redis.call("SET", KEYS[2], id, "PX", ARGV[1])
return {id, 0}`;

/**
 * Creates an emitter that settles once Redis has added the message to a stream, and resolves to its entry.
 *
 * - **Promise:** at least once. An entry is as safe as the server: with `appendonly yes` and `appendfsync always` it is on disk
 *   before Redis answers; with `everysec`, its default, the last second may be lost. `min-replicas-to-write` refuses (503) where
 *   replicas are missing. Set `maxmemory-policy noeviction`, or Redis may drop the stream.
 * - **Deduplication:** by a script, which adds a message once within `windowSeconds` and keeps its key beside the stream, in the
 *   same slot of a cluster: `{orders}:message:` and `message.key`.
 * - **Order:** as handed over, for one connection.
 * - **Entry:** `data` is the octets, `content-type` their type; `ce_id`, `ce_type`, ... are the attributes of CloudEvents 1.0.2;
 *   header fields of the delivery go by their own names. Read `data` as a buffer where octets may be no UTF-8.
 *
 * 503: the client is cut off, which is told at once, whether or not it would queue; Redis is out of memory, loading, failing
 * over or short of replicas; or the key holds something else than a stream.
 *
 * @throws TypeError at start, for options that are wrong.
 *
 * @example
 * ```ts
 * const client = await createClient({ url: "redis://127.0.0.1:6379" }).on("error", console.error).connect();
 * redisStreamsEmitter({ client, stream: "webhooks" });
 * ```
 */
export function redisStreamsEmitter(options: RedisStreamsEmitterOptions): Emitter {
  checkOptions("redisStreamsEmitter", options, WORDS);
  const { client, maxLength, windowSeconds = 3600, timeoutMs = 5000 } = options;
  const command = redisCommand(client);
  const streamOf = destinationOf("stream", options.stream, STREAM, "A } in it must end a hash tag, as {orders}.");
  const trim = maxLength === undefined ? [] : ["MAXLEN", "~", String(positiveInteger("maxLength", maxLength))];
  if (windowSeconds !== false) positiveInteger("windowSeconds", windowSeconds);
  positiveInteger("timeoutMs", timeoutMs);
  const within = answersOf("Redis");

  async function add(message: Message): Promise<RedisStreamEntry> {
    const stream = streamOf(message);
    const entry = entryOf(message);
    if (windowSeconds === false) {
      return { id: String(await command(["XADD", stream, ...trim, "*", ...entry])), isDuplicate: false };
    }
    const keys = [stream, keyOf(stream, message.key)];
    const window = String(windowSeconds * 1000);
    const reply = await command(["EVAL", ADD_ONCE, "2", ...keys, window, ...trim, "*", ...entry]);
    const [id, isDuplicate] = reply as readonly [string | Buffer, number | string];
    return { id: String(id), isDuplicate: Number(isDuplicate) === 1 };
  }

  return async function redisStreamsEmitter(message: Message): Promise<RedisStreamEntry> {
    if (isCutOff(client as ConnectionStatus)) throw new BusyError("Redis: the client is not connected.");
    return within(timeoutMs, () =>
      add(message).catch((error: unknown) => {
        throw redisFailure(error);
      }),
    );
  };
}

function entryOf(message: Message): (string | Buffer)[] {
  const entry = ["data", message.octets, "content-type", contentTypeOf(message)];
  for (const [name, value] of Object.entries(attributesOf(message))) entry.push(`ce_${name}`, value);
  for (const [name, value] of carriedFields(message, (name) => RESERVED.test(name))) entry.push(name, value);
  return entry;
}

function keyOf(stream: string, key: string): string {
  return `${TAGGED.test(stream) ? stream : `{${stream}}`}:message:${key}`;
}
