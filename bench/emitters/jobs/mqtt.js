/** Mosquitto, QoS 1, for a subscriber that is away: its session is kept, and nothing is read on this machine meanwhile. */
const { connectAsync } = require("mqtt");
const { mqttEmitter } = require("express-webhook-node/emit/mqtt");
const { TOLD } = require("../items");

const URL = "mqtt://127.0.0.1:1883";
/** What the emitter has under way unless told otherwise. */
const AS_OURS = 10;
/** Mosquitto's Receive Maximum: it hangs up when more is under way. */
const RECEIVE_MAXIMUM = 20;
const SESSION = { properties: { sessionExpiryInterval: 3600 } };

/**
 * Begins a session with a subscription, or ends it.
 *
 * @param {string} name
 * @param {boolean} isKept
 */
async function subscriber(name, isKept) {
  const options = isKept ? { clean: false, ...SESSION } : { clean: true };
  const client = await connectAsync(URL, { protocolVersion: 5, clientId: name, ...options });
  if (isKept) await client.subscribeAsync(name, { qos: 1 });
  await client.endAsync();
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  await subscriber(name, true);
  const client = await connectAsync(URL, { protocolVersion: 5 });
  /** @param {readonly import("../items").Item[]} items */
  const send = ([{ id, octets }]) => {
    const userProperties = { ...TOLD.fields, ...TOLD.attributes, id };
    return client.publishAsync(name, octets, {
      qos: 1,
      properties: { contentType: TOLD.contentType, userProperties },
    });
  };
  return {
    emitter: mqttEmitter({ client, topic: name }),
    raw: [
      { name: "publishAsync, 10 under way", send, lanes: AS_OURS },
      { name: "publishAsync, 20 under way", send, lanes: RECEIVE_MAXIMUM },
    ],
    async close() {
      await client.endAsync();
      await subscriber(name, false);
    },
  };
}

module.exports = { open };
