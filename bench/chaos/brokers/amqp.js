/** RabbitMQ: a durable queue and persistent messages, which are confirmed once they are on disk. */
const { setTimeout: pause } = require("node:timers/promises");
const amqp = require("amqplib");
const { amqpEmitter } = require("express-webhook-node/emit/amqp");
const { startRabbit } = require("./rabbitmq");

/** @typedef {import("amqplib").ChannelModel} ChannelModel */
/** @typedef {import("amqplib").ConfirmChannel} ConfirmChannel */

// Heartbeats, in seconds, find a dead connection.
/** @param {number} port */
const urlOf = (port) => `amqp://guest:guest@127.0.0.1:${port}?heartbeat=2`;
const BATCH = 500;
const QUIET_MS = 1_500;
const READY_MS = 30_000;
// A quorum queue is for several servers: with a single one of 3.10 it may find no leader after a crash, and takes nothing then.
const QUEUE = { durable: true };

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
  const { daemon, close } = await startRabbit({ folder, port, file });
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
      /** @type {import(".").Received[]} */
      const received = [];
      await within((channel) => read(channel, destination, received));
      yield* received;
    },
    close,
  };
}

/**
 * Reads a queue until nothing more comes. What was read and acknowledged is kept in `received`, also if the channel is closed
 * in between: the rest is then read by the next one.
 *
 * @param {import("amqplib").Channel} channel
 * @param {string} queue
 * @param {import(".").Received[]} received
 */
async function read(channel, queue, received) {
  /** @type {import(".").Received[]} */
  let unacknowledged = [];
  let lastAt = performance.now();
  channel.on("error", () => {});
  await channel.prefetch(BATCH * 2);
  // After a SIGKILL the broker listens before it has all its queues again.
  await channel.assertQueue(queue, QUEUE);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    lastAt = performance.now();
    const { messageId, headers } = message.properties;
    unacknowledged.push({ key: messageId, deliveryId: headers?.cloudEvents_deliveryid, octets: message.content });
    if (unacknowledged.length === BATCH) acknowledge();
  });
  const acknowledge = () => {
    if (unacknowledged.length > 0) channel.ackAll();
    received.push(...unacknowledged);
    unacknowledged = [];
  };
  while (performance.now() - lastAt < QUIET_MS) await pause(50);
  acknowledge();
  // It rejects if the channel was closed meanwhile.
  const { messageCount } = await channel.checkQueue(queue);
  if (messageCount > 0) throw new Error(`RabbitMQ still has ${messageCount} messages to hand out.`);
}

module.exports = {
  title: "RabbitMQ, durable queue, persistent messages",
  file: "rabbitmq-server",
  isDurable: true,
  keeper: "broker",
  connect,
  start,
};
