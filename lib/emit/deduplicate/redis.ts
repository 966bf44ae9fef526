/**
 * Deduplication between processes, in Redis or Valkey.
 *
 * @module
 */
import { checkOptions, text } from "../../request/options";
import { redisCommand, type RedisClient } from "../redis-command";
import type { DeduplicationStore } from "./store";

export type RedisDeduplicationOptions = {
  /** A connected client of `redis` (4 or later) or `ioredis` (5 or later). It stays the app's. */
  readonly client: RedisClient;
  /**
   * What stands before each key.
   *
   * @defaultValue `"webhook:"`
   */
  readonly prefix?: string | undefined;
};

/** Takes a key unless another has it, and says what it holds then. One round trip, and one slot of a cluster. */
const CLAIM = `
if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return false end
return redis.call("GET", KEYS[1])`;
const RELEASE = `
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`;
const CLAIMED = "claimed ";
const DELIVERED = "delivered ";

/**
 * Creates a store in Redis: a key each, which expires by itself. It knows as much as Redis keeps: after a restart without
 * `appendonly`, or an eviction (`maxmemory-policy`), a message may be emitted a second time; none is lost.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function redisDeduplication(options: RedisDeduplicationOptions): DeduplicationStore {
  checkOptions("redisDeduplication", options, ["client", "prefix"]);
  const command = redisCommand(options.client);
  const prefix = text("prefix", options.prefix ?? "webhook:");

  return {
    async claim(key, { owner, leaseMs }) {
      const found = await command(["EVAL", CLAIM, "1", prefix + key, CLAIMED + owner, String(leaseMs)]);
      if (found === null) return { state: "claimed" };
      // Some clients are set to hand over octets.
      const value = (found as string | Buffer).toString();
      if (value === CLAIMED + owner) return { state: "claimed" };
      if (!value.startsWith(DELIVERED)) return { state: "underWay" };
      return { state: "delivered", trackingId: value.slice(DELIVERED.length) };
    },
    confirm: (key, { trackingId, windowMs }) =>
      command(["SET", prefix + key, DELIVERED + trackingId, "PX", String(windowMs)]),
    release: (key, { owner }) => command(["EVAL", RELEASE, "1", prefix + key, CLAIMED + owner]),
  };
}
