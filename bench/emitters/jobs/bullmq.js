/** BullMQ, a queue that nobody works on. */
const { Queue } = require("bullmq");
const { bullMqEmitter } = require("express-webhook-node/emit/bullmq");
const { TOLD } = require("../items");

const TOGETHER = 100;

/** @param {import("../items").Item} item */
function dataOf({ id, body }) {
  const { contentType, fields, attributes } = TOLD;
  return { body, contentType, attributes: { ...attributes, id }, fields };
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const queue = new Queue(name, { connection: { host: "127.0.0.1", port: 6379 } });
  await queue.waitUntilReady();
  /** @param {readonly import("../items").Item[]} items */
  const addBulk = (items) =>
    queue.addBulk(items.map((item) => ({ name: "echo.json", data: dataOf(item), opts: { jobId: `m${item.id}` } })));
  return {
    emitter: bullMqEmitter({ queue }),
    raw: [
      { name: "add", send: ([item]) => queue.add("echo.json", dataOf(item), { jobId: `m${item.id}` }) },
      { name: "addBulk of 100", send: addBulk, size: TOGETHER, lanes: 1 },
      { name: "addBulk of 100, 2 at once", send: addBulk, size: TOGETHER },
    ],
    clear: () => queue.obliterate({ force: true }),
    async close() {
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}

module.exports = { open };
