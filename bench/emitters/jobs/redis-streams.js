/** A stream of Redis, by `redis`: each message once, and as often as it comes. */
const { createClient } = require("redis");
const { redisStreamsEmitter } = require("express-webhook-node/emit/redis-streams");
const { unlinkAll } = require("../redis-keys");
const { TOLD } = require("../items");

const ONCE = `
local id = redis.call("GET", KEYS[2])
if id then return {id, 1} end
id = redis.call("XADD", KEYS[1], unpack(ARGV, 2))
redis.call("SET", KEYS[2], id, "PX", ARGV[1])
return {id, 0}`;
const HOUR_IN_MS = "3600000";

/** What an entry holds besides the octets and the id. */
const READY = [
  ["content-type", TOLD.contentType],
  ...Object.entries(TOLD.attributes)
    .filter(([name]) => name !== "id")
    .map(([name, value]) => [`ce_${name}`, value]),
  ...Object.entries(TOLD.fields),
].flat();

/**
 * @param {boolean} isOnce
 * @returns {import("../measure").Job["open"]}
 */
function opens(isOnce) {
  return async (name) => {
    const client = createClient({ url: "redis://127.0.0.1:6379" });
    await client.connect();
    const script = await client.scriptLoad(ONCE);
    /** @param {import("../items").Item} item */
    const entry = ({ id, octets }) => ["*", "data", octets, "ce_id", id, ...READY];
    /** @param {import("../items").Item} item */
    const bare = ({ id, octets }) => ["*", "data", octets, "id", id];
    /**
     * @param {string} id
     * @param {(string | Buffer)[]} words
     */
    const add = (id, words) =>
      client.sendCommand(
        isOnce
          ? ["EVALSHA", script, "2", name, `{${name}}:message:${id}`, HOUR_IN_MS, ...words]
          : ["XADD", name, ...words],
      );
    const what = isOnce ? "EVALSHA" : "XADD";
    return {
      emitter: redisStreamsEmitter({ client, stream: name, ...(!isOnce && { windowSeconds: false }) }),
      raw: [
        { name: `${what}, same fields`, send: ([item]) => add(item.id, entry(item)) },
        { name: `${what}, data and id alone`, send: ([item]) => add(item.id, bare(item)) },
      ],
      clear: () => unlinkAll(client, `*${name}*`),
      close: () => client.close(),
    };
  };
}

module.exports = { open: opens(true), opens };
