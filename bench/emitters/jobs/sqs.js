/** SQS, an emulator of it in a process of its own. */
const { CreateQueueCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient } = require("@aws-sdk/client-sqs");
const { sqsEmitter } = require("express-webhook-node/emit/sqs");
const { Helper } = require("../helper");
const { TOLD } = require("../items");

const TOGETHER = 10;

const { id: _, specversion, source, type, time, traceparent, ...rest } = TOLD.attributes;
const NAMED = {
  "content-type": TOLD.contentType,
  ce_specversion: specversion,
  ce_source: source,
  ce_type: type,
  ce_time: time,
  traceparent: String(traceparent),
  more: JSON.stringify({ ...TOLD.fields, ...rest }),
};

/** @param {string} value */
const attribute = (value) => ({ DataType: "String", StringValue: value });
const ATTRIBUTES = Object.fromEntries(Object.entries(NAMED).map(([name, value]) => [name, attribute(value)]));

/** @param {import("../items").Item} item */
function entryOf({ id, body }) {
  return { MessageBody: body, MessageAttributes: { ...ATTRIBUTES, ce_id: attribute(id) } };
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const server = await Helper.start("sqs-server.js");
  const client = new SQSClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${server.port}`,
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  });
  const { QueueUrl } = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { MessageRetentionPeriod: "60" } }),
  );
  return {
    emitter: sqsEmitter({ client, queueUrl: String(QueueUrl) }),
    raw: [
      { name: "SendMessage", send: ([item]) => client.send(new SendMessageCommand({ QueueUrl, ...entryOf(item) })) },
      {
        name: "SendMessageBatch of 10",
        send: (items) =>
          client.send(
            new SendMessageBatchCommand({
              QueueUrl,
              Entries: items.map((item, at) => ({ Id: String(at), ...entryOf(item) })),
            }),
          ),
        size: TOGETHER,
      },
    ],
    async close() {
      client.destroy();
      server.stop();
    },
  };
}

module.exports = { open };
