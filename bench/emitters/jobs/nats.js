/** JetStream, a stream in files. */
const { jetstream, jetstreamManager } = require("@nats-io/jetstream");
const { connect, headers } = require("@nats-io/transport-node");
const { jetStreamEmitter } = require("express-webhook-node/emit/nats");
const { TOLD } = require("../items");

function readyHeaders() {
  const fields = headers();
  for (const [name, value] of Object.entries(TOLD.fields)) fields.set(name, value);
  for (const [name, value] of Object.entries(TOLD.attributes)) fields.set(`ce-${name}`, value);
  fields.set("ce-datacontenttype", TOLD.contentType.replace(" ", "%20"));
  return fields;
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const connection = await connect({ servers: "127.0.0.1:4222" });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name, subjects: [name], storage: "file" });
  const client = jetstream(connection);
  const ready = readyHeaders();
  return {
    emitter: jetStreamEmitter({ client, subject: name }),
    raw: [
      {
        name: "publish, same headers",
        send: ([{ id, octets }]) => client.publish(name, octets, { msgID: id, headers: ready }),
      },
      { name: "publish, msgID alone", send: ([{ id, octets }]) => client.publish(name, octets, { msgID: id }) },
    ],
    clear: () => streams.purge(name),
    async close() {
      await streams.delete(name);
      await connection.close();
    },
  };
}

module.exports = { open };
