/** RabbitMQ: a quorum queue, which is durable, and persistent messages: confirmed once they are on disk. */
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const amqp = require("amqplib");
const { amqpEmitter } = require("express-webhook-node/emit/amqp");
const { Daemon } = require("../daemon");
const { freePort } = require("../ports");

/** @typedef {import("amqplib").ChannelModel} ChannelModel */
/** @typedef {import("amqplib").ConfirmChannel} ConfirmChannel */

// Heartbeats, in seconds, find a dead connection.
/** @param {number} port */
const urlOf = (port) => `amqp://guest:guest@127.0.0.1:${port}?heartbeat=2`;
const QUIET_MS = 1_500;
const READY_MS = 30_000;
const QUEUE = { durable: true, arguments: { "x-queue-type": "quorum" } };

/** @type {import(".").BrokerModule["connect"]} */
async function connect({ brokerPort, destination }) {
  /** @type {ConfirmChannel | undefined} */
  let channel;
  /** @param {ChannelModel} connection */
  const setup = async (connection) => {
    const made = await connection.createConfirmChannel();
    made.on("error", () => {});
    made.on("close", () => (channel = channel === made ? undefined : channel));
    await made.assertQueue(destination, QUEUE);
    channel = made;
  };
  const recovery = { setup, initialDelay: 200, maxDelay: 500, maxRetries: Infinity };
  const connection = await amqp.connect(urlOf(brokerPort), { timeout: 2_000, recovery });
  connection.on("error", () => {});
  return {
    emitter: amqpEmitter({ channel: () => channel, routingKey: destination }),
    close: async () => connection.close().catch(() => {}),
  };
}

/** @type {import(".").BrokerModule["start"]} */
async function start({ folder, port, file }) {
  const epmd = await startEpmd(folder);
  await writeFile(join(folder, "rabbitmq.conf"), `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file = false\n`);
  await writeFile(join(folder, "enabled_plugins"), "[].\n");
  const daemon = new Daemon({
    file,
    args: [],
    port,
    cwd: folder,
    endSignal: "SIGKILL",
    env: await environment(folder, epmd.port),
  });
  await daemon.start();

  /** @type {<T>(work: (channel: import("amqplib").Channel) => Promise<T>) => Promise<T>} */
  const within = async (work) => {
    const until = performance.now() + READY_MS;
    for (;;) {
      const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${port}`);
      connection.on("error", () => {});
      try {
        return await work(await connection.createChannel());
      } catch (error) {
        // It listens before it has found its queues again.
        if (performance.now() > until) throw error;
        await pause(500);
      } finally {
        await connection.close().catch(() => {});
      }
    }
  };
  return {
    daemon,
    prepare: (destination) => within(async (channel) => void (await channel.assertQueue(destination, QUEUE))),
    async *received(destination) {
      yield* await within((channel) => read(channel, destination));
    },
    close: () => epmd.daemon.stop(),
  };
}

/**
 * Erlang's nodes find each other by a daemon: one of our own, on a port of its own, leaves the machine's alone.
 *
 * @param {string} cwd
 */
async function startEpmd(cwd) {
  const port = await freePort();
  const daemon = new Daemon({ file: "epmd", args: ["-port", `${port}`, "-address", "127.0.0.1"], port, cwd });
  await daemon.start();
  return { daemon, port };
}

/**
 * @param {string} folder
 * @param {number} epmdPort
 */
async function environment(folder, epmdPort) {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_NODENAME: `chaos${epmdPort}@localhost`,
    RABBITMQ_DIST_PORT: `${await freePort()}`,
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
}

/**
 * Reads a queue until nothing more comes. It acknowledges nothing, so the queue has all of it again afterwards.
 *
 * @param {import("amqplib").Channel} channel
 * @param {string} queue
 */
async function read(channel, queue) {
  /** @type {import(".").Received[]} */
  const received = [];
  let lastAt = performance.now();
  channel.on("error", () => {});
  await channel.consume(queue, (message) => {
    if (message === null) return;
    lastAt = performance.now();
    const { messageId, headers } = message.properties;
    received.push({ key: messageId, deliveryId: headers?.cloudEvents_deliveryid, octets: message.content });
  });
  while (performance.now() - lastAt < QUIET_MS) await pause(50);
  // It rejects if the channel was closed meanwhile.
  const { messageCount } = await channel.checkQueue(queue);
  if (messageCount > 0) throw new Error(`RabbitMQ still has ${messageCount} messages to hand out.`);
  return received;
}

module.exports = {
  title: "RabbitMQ, quorum queue, persistent messages",
  file: "rabbitmq-server",
  isDurable: true,
  keeper: "broker",
  connect,
  start,
};
