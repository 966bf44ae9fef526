/** NATS JetStream: a stream in files, synchronised after each message where the server can do so (2.10 and later). */
const { spawnSync } = require("node:child_process");
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { jetstream, jetstreamManager } = require("@nats-io/jetstream");
const { connect: connectToNats } = require("@nats-io/transport-node");
const { jetStreamEmitter } = require("express-webhook-node/emit/nats");
const { Daemon } = require("../daemon");

/** How the app connects: again and again, for ever; it finds a dead connection by its pings. */
const LASTING = {
  maxReconnectAttempts: -1,
  reconnectTimeWait: 200,
  waitOnFirstConnect: true,
  // Of one attempt, which a server that is stopped may never answer.
  timeout: 2_000,
  pingInterval: 1_000,
  maxPingOut: 2,
};
const HOUR_IN_NANOSECONDS = 3_600_000_000_000;

/** @type {import(".").BrokerModule["connect"]} */
async function connect({ brokerPort, destination }) {
  const connection = await connectToNats({ servers: `127.0.0.1:${brokerPort}`, ...LASTING });
  const emitter = jetStreamEmitter({ client: jetstream(connection), subject: `${destination}.delivered` });
  return { emitter, close: () => connection.close() };
}

/** @type {import(".").BrokerModule["start"]} */
async function start({ folder, port, file }) {
  const path = join(folder, "nats.conf");
  /** @param {string} more */
  const configure = (more) =>
    writeFile(path, `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(folder)}${more} }\n`);
  await configure(", sync_interval: always");
  // Before 2.10 there is no such word: what was acknowledged outlives the server, but not a power cut.
  if (spawnSync(file, ["-t", "-c", path]).status !== 0) await configure("");
  const daemon = new Daemon({ file, args: ["-c", path], port, cwd: folder });
  await daemon.start();
  const own = () => connectToNats({ servers: `127.0.0.1:${port}`, ...LASTING });
  return {
    daemon,
    async prepare(destination) {
      const connection = await own();
      const manager = await jetstreamManager(connection);
      await manager.streams.add({
        name: destination,
        subjects: [`${destination}.>`],
        storage: "file",
        duplicate_window: HOUR_IN_NANOSECONDS,
      });
      await connection.close();
    },
    async *received(destination) {
      const connection = await own();
      yield* read(connection, destination);
      await connection.close();
    },
  };
}

/**
 * Reads what a stream holds now.
 *
 * @param {import("@nats-io/transport-node").NatsConnection} connection
 * @param {string} stream
 */
async function* read(connection, stream) {
  const { messages } = (await (await jetstreamManager(connection)).streams.info(stream)).state;
  if (messages === 0) return;
  const consumer = await jetstream(connection).consumers.get(stream);
  let left = messages;
  for await (const { headers, data } of await consumer.consume({ max_messages: 1_000 })) {
    yield {
      key: headers?.get("ce-id") ?? "",
      deliveryId: headers?.get("ce-deliveryid") ?? "",
      octets: Buffer.from(data),
    };
    if (--left === 0) return;
  }
}

module.exports = {
  title: "NATS JetStream, file storage",
  file: "nats-server",
  isDurable: true,
  keeper: "broker",
  connect,
  start,
};
