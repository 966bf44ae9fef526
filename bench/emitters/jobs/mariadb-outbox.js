/** MariaDB, a table as an outbox. */
const { createPool } = require("mysql2/promise");
const { mariaDbOutboxEmitter, outboxSchema } = require("express-webhook-node/emit/mariadb-outbox");
const { TOLD } = require("../items");

const TOGETHER = 100;

/** @param {import("../items").Item} item */
function rowOf({ id, octets }) {
  const attributes = JSON.stringify({ ...TOLD.attributes, id });
  return [id, null, TOLD.contentType, octets, attributes, JSON.stringify(TOLD.fields)];
}

/** @type {import("../measure").Job["open"]} */
async function open(name) {
  const client = createPool({ host: "127.0.0.1", port: 3306, user: "root", database: "test" });
  await client.query(outboxSchema(name));
  /** @param {number} rows */
  const sqlOf = (rows) =>
    `insert into ${name} (message_key, group_id, content_type, octets, attributes, fields) values ${Array(rows).fill("(?, ?, ?, ?, ?, ?)").join(", ")} on duplicate key update message_key = ${name}.message_key`;
  const statements = new Map([1, TOGETHER].map((rows) => [rows, sqlOf(rows)]));
  /** @param {readonly import("../items").Item[]} items */
  const send = (items) => client.execute(/** @type {string} */ (statements.get(items.length)), items.flatMap(rowOf));
  return {
    emitter: mariaDbOutboxEmitter({ client, table: name }),
    raw: [
      { name: "insert, one row, pool of 10", send },
      { name: "insert, 100 rows", send, size: TOGETHER, lanes: 1 },
      { name: "insert, 100 rows, 2 at once", send, size: TOGETHER },
    ],
    clear: () => client.query(`truncate table ${name}`),
    async close() {
      await client.query(`drop table ${name}`);
      await client.end();
    },
  };
}

module.exports = { open };
