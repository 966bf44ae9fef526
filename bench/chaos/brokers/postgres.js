/** PostgreSQL, as an outbox: with its own settings, a commit is on disk before it is confirmed. */
const { execFileSync } = require("node:child_process");
const { chownSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { Client, Pool } = require("pg");
const { outboxSchema, postgresOutboxEmitter } = require("express-webhook-node/emit/postgres-outbox");
const { Daemon } = require("../daemon");

const USER = { host: "127.0.0.1", user: "chaos", database: "postgres" };
const PAGE = 2_000;

/** @type {import(".").BrokerModule["connect"]} */
async function connect({ brokerPort, destination }) {
  // A pool makes a new connection for one that is lost; `error` tells of those that nobody was using.
  const pool = new Pool({ ...USER, port: brokerPort, max: 4, connectionTimeoutMillis: 2_000 });
  pool.on("error", () => {});
  return { emitter: postgresOutboxEmitter({ client: pool, table: destination }), close: () => pool.end() };
}

/** @type {import(".").BrokerModule["start"]} */
async function start({ folder, port, file }) {
  const owner = ownerOf();
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  const initialise = ["--pgdata", data, "--username", USER.user, "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
  execFileSync(join(dirname(file), "initdb"), initialise, { ...owner, cwd: folder, stdio: "ignore" });
  const args = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-c", "unix_socket_directories="];
  const daemon = new Daemon({ file, args, port, cwd: folder, endSignal: "SIGINT", ...owner });
  await daemon.start();

  /** @type {<T>(work: (client: Client) => Promise<T>) => Promise<T>} */
  const within = async (work) => {
    const client = await connected(port);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    daemon,
    prepare: (destination) => within(async (client) => void (await client.query(outboxSchema(destination)))),
    async *received(destination) {
      for (let after = "0"; ;) {
        const text = `select id, message_key, attributes, octets from ${destination} where id > $1 order by id limit ${PAGE}`;
        const { rows } = await within((client) => client.query({ text, values: [after] }));
        for (const { message_key: key, attributes, octets } of rows) {
          yield { key, deliveryId: attributes.deliveryid, octets };
        }
        if (rows.length < PAGE) return;
        after = rows[rows.length - 1].id;
      }
    },
  };
}

/** PostgreSQL will not be run by root. */
function ownerOf() {
  if (process.getuid?.() !== 0) return {};
  /** @param {string} option */
  const id = (option) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/**
 * A client, once the server takes any: it listens before.
 *
 * @param {number} port
 */
async function connected(port) {
  for (;;) {
    const client = new Client({ ...USER, port });
    client.on("error", () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      // 57P03: the database system is starting up.
      if (code !== "57P03" && code !== "ECONNRESET") throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

module.exports = {
  title: "PostgreSQL outbox, synchronous commit",
  file: "postgres",
  isDurable: true,
  keeper: "broker",
  connect,
  start,
};
