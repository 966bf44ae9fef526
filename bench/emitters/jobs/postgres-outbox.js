/** PostgreSQL, a table as an outbox. */
const { Pool } = require("pg");
const { outboxSchema, postgresOutboxEmitter } = require("express-webhook-node/emit/postgres-outbox");
const { TOLD } = require("../items");

const TOGETHER = 100;
const TYPES = ["text", "text", "text", "bytea", "jsonb", "jsonb"];

/** @param {import("../items").Item} item */
function rowOf({ id, octets }) {
  const attributes = JSON.stringify({ ...TOLD.attributes, id });
  return [id, null, TOLD.contentType, octets, attributes, JSON.stringify(TOLD.fields)];
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const client = new Pool({ host: "127.0.0.1", port: 5432, user: "root", database: "test" });
  await client.query(outboxSchema(name));
  /** @param {number} rows */
  const textOf = (rows) => {
    const tuples = Array.from(
      { length: rows },
      (_, row) => `(${TYPES.map((type, at) => `$${row * TYPES.length + at + 1}::${type}`).join(", ")})`,
    );
    return `insert into ${name} (message_key, group_id, content_type, octets, attributes, fields) values ${tuples.join(", ")} on conflict (message_key) do nothing`;
  };
  const texts = new Map([1, TOGETHER].map((rows) => [rows, textOf(rows)]));
  /** @param {readonly import("../items").Item[]} items */
  const send = (items) =>
    client.query({
      text: /** @type {string} */ (texts.get(items.length)),
      values: items.flatMap(rowOf),
    });
  return {
    emitter: postgresOutboxEmitter({ client, table: name }),
    raw: [
      { name: "insert, one row, pool of 10", send },
      { name: "insert, 100 rows", send, size: TOGETHER, lanes: 1 },
      { name: "insert, 100 rows, 2 at once", send, size: TOGETHER },
    ],
    clear: () => client.query(`truncate ${name}`),
    async close() {
      await client.query(`drop table ${name}`);
      await client.end();
    },
  };
}

module.exports = { open };
