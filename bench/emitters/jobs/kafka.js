/** Kafka, by kafkajs: librdkafka's cluster for tests, which keeps what it has in memory. */
const { spawn } = require("node:child_process");
const { Kafka, logLevel } = require("kafkajs");
const { kafkaEmitter } = require("express-webhook-node/emit/kafka");
const { TOLD } = require("../items");

const HEADERS = {
  ...TOLD.fields,
  "content-type": TOLD.contentType,
  ...Object.fromEntries(Object.entries(TOLD.attributes).map(([name, value]) => [`ce_${name}`, value])),
};

/** @param {import("node:child_process").ChildProcess} kcat */
function bootstrap({ stderr }) {
  return new Promise((resolve) => {
    let text = "";
    stderr?.on("data", (piece) => {
      text = `${text}${piece}`.slice(-65_536);
      const servers = /bootstrap\.servers=([\w.:]+)/.exec(text)?.[1];
      if (servers) resolve(servers);
    });
  });
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const kcat = spawn("kcat", "-C -q -u -b x -X test.mock.num.brokers=1 -t __up -d mock".split(" "));
  const kafka = new Kafka({ brokers: [await bootstrap(kcat)], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  /** @param {readonly import("../items").Item[]} items */
  const send = (items) =>
    producer.send({
      topic: name,
      messages: items.map(({ id, octets }) => ({ key: null, value: octets, headers: { ...HEADERS, ce_id: id } })),
    });
  return {
    emitter: kafkaEmitter({ producer, topic: name }),
    raw: [
      { name: "send, one a request", send },
      { name: "send, 200 a request", send, size: 200 },
    ],
    async close() {
      await producer.disconnect();
      kcat.kill();
    },
  };
}

module.exports = { open };
