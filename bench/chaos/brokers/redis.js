/** Redis Streams: append-only file, an fsync for each write. */
const { setTimeout: pause } = require("node:timers/promises");
const { createClient } = require("redis");
const { redisStreamsEmitter } = require("express-webhook-node/emit/redis-streams");
const { Daemon } = require("../daemon");

const PAGE = 2_000;

/** @param {number} port */
async function connected(port) {
  // It connects again by itself; pings find a dead connection, and what cannot be sent now is refused, not kept.
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    disableOfflineQueue: true,
    pingInterval: 1_000,
    socket: { connectTimeout: 2_000, socketTimeout: 3_000, reconnectStrategy: 200 },
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** @type {import(".").BrokerModule["connect"]} */
async function connect({ brokerPort, destination }) {
  const client = await connected(brokerPort);
  return {
    emitter: redisStreamsEmitter({ client, stream: destination }),
    close: async () => client.destroy(),
  };
}

/** @type {import(".").BrokerModule["start"]} */
async function start({ folder, port, file }) {
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, ...durable];
  const daemon = new Daemon({ file, args, port, cwd: folder });
  await daemon.start();
  return {
    daemon,
    // A stream begins with its first entry.
    prepare: async () => {},
    async *received(destination) {
      const client = await connected(port);
      // It listens before it has loaded what it has.
      while (!(await client.ping().catch(() => false))) await pause(50);
      for (let from = "-"; ;) {
        const entries = (await client.xRange(destination, from, "+", { COUNT: PAGE })) ?? [];
        for (const { message } of entries) {
          yield { key: message.ce_id, deliveryId: message.ce_deliveryid, octets: Buffer.from(message.data) };
        }
        if (entries.length < PAGE) break;
        from = `(${entries[entries.length - 1].id}`;
      }
      client.destroy();
    },
  };
}

module.exports = {
  title: "Redis Streams, append-only file, fsync always",
  file: "redis-server",
  isDurable: true,
  keeper: "broker",
  connect,
  start,
};
