/**
 * Mosquitto, QoS 1, with a subscriber that has a session. It acknowledges what it holds in memory, and saves that each second:
 * its end may cost what came since.
 */
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const mqtt = require("mqtt");
const { mqttEmitter } = require("express-webhook-node/emit/mqtt");
const { Daemon } = require("../daemon");

/** How the app connects: again and again, for ever; it finds a dead connection by its pings. */
const LASTING = /** @type {const} */ ({
  protocolVersion: 5,
  keepalive: 2,
  reconnectPeriod: 200,
  connectTimeout: 2_000,
});
const SESSION = { clean: false, properties: { sessionExpiryInterval: 3_600 } };
const SETTLED_MS = 1_000;

/** @type {import(".").BrokerModule["connect"]} */
async function connect({ brokerPort, destination }) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${brokerPort}`, LASTING);
  client.on("error", () => {});
  return { emitter: mqttEmitter({ client, topic: destination }), close: () => client.endAsync(true) };
}

/** @type {import(".").BrokerModule["start"]} */
async function start({ folder, port, file }) {
  const settings = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence true",
    `persistence_location ${folder}/`,
    "autosave_interval 1",
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  const path = join(folder, "mosquitto.conf");
  await writeFile(path, `${settings.join("\n")}\n`);
  const daemon = new Daemon({ file, args: ["-c", path], port, cwd: folder });
  await daemon.start();
  /** @type {Map<string, Subscriber>} */
  const subscribers = new Map();
  return {
    daemon,
    async prepare(destination) {
      subscribers.set(destination, await Subscriber.start(port, destination));
    },
    async *received(destination) {
      yield* (await subscribers.get(destination)?.settled()) ?? [];
    },
    close: () => Promise.all([...subscribers.values()].map((subscriber) => subscriber.close())),
  };
}

/** MQTT keeps nothing to be read later: who wants it has to be there, or to have been. */
class Subscriber {
  #client;
  /** @type {import(".").Received[]} */
  #received = [];
  #lastAt = 0;

  /** @param {import("mqtt").MqttClient} client */
  constructor(client) {
    this.#client = client;
    client.on("error", () => {});
    client.on("message", (_topic, octets, { properties }) => {
      this.#lastAt = performance.now();
      const { id, deliveryid } = /** @type {Record<string, string>} */ (properties?.userProperties ?? {});
      this.#received.push({ key: id, deliveryId: deliveryid, octets });
    });
  }

  /**
   * @param {number} port
   * @param {string} topic
   */
  static async start(port, topic) {
    const options = { ...LASTING, ...SESSION, clientId: `reader_${topic}` };
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options);
    const subscriber = new Subscriber(client);
    const subscribed = new Promise((resolve) => client.once("connect", resolve));
    // A broker that was killed may have lost the session.
    client.on("connect", () => void client.subscribeAsync(topic, { qos: 1 }).catch(() => {}));
    await subscribed;
    await client.subscribeAsync(topic, { qos: 1 });
    return subscriber;
  }

  /** What has come, once nothing more comes. */
  async settled() {
    this.#lastAt = performance.now();
    while (performance.now() - this.#lastAt < SETTLED_MS) await pause(50);
    return this.#received;
  }

  async close() {
    await this.#client.endAsync(true);
  }
}

module.exports = {
  title: "MQTT, Mosquitto, QoS 1, saved each second",
  file: "mosquitto",
  isDurable: false,
  keeper: "broker",
  connect,
  start,
};
