/** Mosquitto, QoS 1, for a subscriber that is away: its session is kept, and nothing is read on this machine meanwhile. */
const { connectAsync } = require("mqtt");
const { mqttEmitter } = require("express-webhook-node/emit/mqtt");
const { TOLD } = require("../items");

const URL = "mqtt://127.0.0.1:1883";
/** Mosquitto's Receive Maximum: it hangs up when more is under way. */
const RECEIVE_MAXIMUM = 20;
const SESSION = { properties: { sessionExpiryInterval: 3600 } };
const SAME = { contentType: TOLD.contentType, userProperties: { ...TOLD.fields, ...TOLD.attributes } };

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
  /**
   * @param {import("../items").Item} item
   * @param {import("mqtt").IClientPublishOptions["properties"]} properties
   */
  const publish = ({ octets }, properties) => client.publishAsync(name, octets, { qos: 1, properties });
  return {
    emitter: mqttEmitter({ client, topic: name }),
    raw: [
      { name: "publishAsync, same properties", send: ([item]) => publish(item, SAME), lanes: RECEIVE_MAXIMUM },
      {
        name: "publishAsync, id alone",
        send: ([item]) => publish(item, { userProperties: { id: item.id } }),
        lanes: RECEIVE_MAXIMUM,
      },
    ],
    async close() {
      await client.endAsync();
      await subscriber(name, false);
    },
  };
}

module.exports = { open };
