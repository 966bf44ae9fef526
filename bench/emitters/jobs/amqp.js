/** RabbitMQ, a durable queue and persistent messages. */
const { promisify } = require("node:util");
const amqp = require("amqplib");
const { amqpEmitter } = require("express-webhook-node/emit/amqp");
const { TOLD } = require("../items");

const HEADERS = {
  ...TOLD.fields,
  ...Object.fromEntries(Object.entries(TOLD.attributes).map(([name, value]) => [`cloudEvents_${name}`, value])),
};

/** @param {string} id */
function sameProperties(id) {
  const timestamp = Math.floor(Date.now() / 1000);
  return { contentType: TOLD.contentType, timestamp, headers: { ...HEADERS, cloudEvents_id: id } };
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const connection = await amqp.connect("amqp://guest:guest@127.0.0.1:5672");
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(name, { durable: true });
  const publishAsync = promisify(channel.publish.bind(channel));
  /**
   * @param {import("../items").Item} item
   * @param {object} more
   */
  const publish = ({ id, octets }, more) =>
    publishAsync("", name, octets, { mandatory: true, persistent: true, messageId: id, ...more });
  return {
    emitter: amqpEmitter({ channel, routingKey: name }),
    raw: [
      { name: "publish and confirm, same headers", send: ([item]) => publish(item, sameProperties(item.id)) },
      { name: "publish and confirm, messageId alone", send: ([item]) => publish(item, {}) },
    ],
    clear: () => channel.purgeQueue(name),
    async close() {
      await channel.deleteQueue(name);
      await connection.close();
    },
  };
}

module.exports = { open };
