/** JetStream, a stream in files. */
const { jetstream, jetstreamManager } = require("@nats-io/jetstream");
const { connect, headers } = require("@nats-io/transport-node");
const { jetStreamEmitter } = require("express-webhook-node/emit/nats");
const { TOLD } = require("../items");

/** @type {[string, string][]} */
const HEADERS = [
  ...Object.entries(TOLD.fields),
  ...Object.entries(TOLD.attributes).map(([name, value]) => /** @type {[string, string]} */ ([`ce-${name}`, value])),
  ["ce-datacontenttype", TOLD.contentType.replace(" ", "%20")],
];

function sameHeaders() {
  const fields = headers();
  for (const [name, value] of HEADERS) fields.append(name, value);
  return fields;
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const connection = await connect({ servers: "127.0.0.1:4222" });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name, subjects: [name], storage: "file" });
  const client = jetstream(connection);
  return {
    emitter: jetStreamEmitter({ client, subject: name }),
    raw: [
      {
        name: "publish, same headers",
        send: ([{ id, octets }]) => client.publish(name, octets, { msgID: id, headers: sameHeaders() }),
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
