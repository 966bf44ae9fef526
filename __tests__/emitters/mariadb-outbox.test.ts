/** The outbox in MariaDB, with a real one where it is there. */
import { randomBytes } from "node:crypto";
import { createPool as createCallbackPool } from "mysql2";
import { createPool, type RowDataPacket } from "mysql2/promise";
import {
  insertIntoOutbox,
  mariaDbOutboxEmitter,
  outboxSchema,
  type MariaDbExecutable,
} from "express-webhook-node/emit/mariadb-outbox";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { emitterContract, type Received } from "./contract";

const CONNECTION = { host: "127.0.0.1", port: 3306, user: "root", database: "test" };

const value = (json: unknown): Record<string, string> =>
  (typeof json === "string" ? JSON.parse(json) : json) as Record<string, string>;

async function openTable(options: object = {}) {
  const pool = createPool({ ...CONNECTION, connectionLimit: 3, ...options });
  // A backtick and a space: nothing of a name is taken as SQL.
  const table = `test.${unique}_${randomBytes(2).toString("hex")} \`X`;
  const quoted = `\`test\`.\`${table.slice(5).replaceAll("`", "``")}\``;
  await pool.query(outboxSchema(table));
  return {
    pool,
    table,
    quoted,
    rows: async () => (await pool.query<RowDataPacket[]>(`select * from ${quoted} order by id`))[0],
    close: async () => {
      await pool.query(`drop table ${quoted}`);
      await pool.end();
    },
  };
}

emitterContract({
  name: "mariaDbOutboxEmitter",
  describe: describeWith("MariaDB", CONNECTION.port),
  isDeduplicated: true,
  isOrdered: true,
  isBinary: true,
  open: async () => {
    const { pool, table, rows, close } = await openTable();
    return {
      emitter: mariaDbOutboxEmitter({ client: pool, table }),
      received: async () =>
        (await rows()).map((row): Received => ({
          octets: row["octets"] as Buffer,
          contentType: row["content_type"] as string,
          attributes: value(row["attributes"]),
          fields: value(row["fields"]),
        })),
      close,
    };
  },
});

describeWith("MariaDB", CONNECTION.port)("mariaDbOutboxEmitter, with the database", () => {
  let opened: Awaited<ReturnType<typeof openTable>>;
  beforeEach(async () => {
    opened = await openTable();
  });
  afterEach(() => opened.close());

  it("makes the table anew without a word [J1]", async () => {
    await expect(opened.pool.query(outboxSchema(opened.table))).resolves.toBeDefined();
  });

  it("fails the one row that the table refuses, not those beside it [J1]", async () => {
    const { pool, table, quoted, rows } = opened;
    await pool.query(`alter table ${quoted} modify octets varbinary(3) not null`);
    const emitter = mariaDbOutboxEmitter({ client: pool, table });
    const settled = await Promise.allSettled(
      ["1", "1234", "2"].map((body) => emitter(messageOf({ body }), contextOf())),
    );

    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(settled[1]).toMatchObject({ reason: { code: "ERR_WEBHOOK_PERMANENT" } });
    expect((await rows()).map(({ octets }) => String(octets))).toEqual(["1", "2"]);
  });

  it("is part of the caller's transaction [J1]", async () => {
    const { pool, table, rows } = opened;
    const message = messageOf();
    for (const [end, count] of [
      ["rollback", 0],
      ["commit", 1],
      ["commit", 1],
    ] as const) {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      await insertIntoOutbox(connection, message, { table });
      await connection[end]();
      connection.release();
      expect(await rows()).toHaveLength(count);
    }
  });

  it("refuses with 503 where the table is not there, and says how to make it [J1]", async () => {
    const { port, lines } = await serveNode({
      emitter: mariaDbOutboxEmitter({ client: opened.pool, table: "no_such" }),
    });
    const answer = await send(port, { body: "1" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(lines.join()).toContain("run what outboxSchema() returns");
  });

  it("rejects while a lock is held for longer than timeoutMs, and a later one is taken [J1, J2]", async () => {
    const { pool, table, quoted, rows } = opened;
    const emitter = mariaDbOutboxEmitter({ client: pool, table, timeoutMs: 200 });
    const other = await pool.getConnection();
    await other.query(`lock tables ${quoted} read`);
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await other.query("unlock tables");
    other.release();

    const message = messageOf({ body: '"later"' });
    await emitter(message, contextOf()).catch(() => emitter(message, contextOf()));
    expect((await rows()).map(({ octets }) => String(octets))).toContain('"later"');
  });

  it("rejects when its connection is killed, and the pool makes another [J1]", async () => {
    const { pool, table, quoted, rows } = opened;
    const single = createPool({ ...CONNECTION, connectionLimit: 1 });
    const connection = await single.getConnection();
    const { threadId } = connection;
    connection.release();
    const other = await pool.getConnection();
    await other.query(`lock tables ${quoted} read`);
    const emitter = mariaDbOutboxEmitter({ client: single, table });
    // mysql2 leaves its timer running when the connection goes, so a short one.
    const brief = mariaDbOutboxEmitter({ client: single, table, timeoutMs: 400 });
    const emitted = brief(messageOf(), contextOf()).catch((error: unknown) => error);
    for (let isWaiting = false; !isWaiting;) {
      const [[state]] = await pool.query<RowDataPacket[]>(
        "select state from information_schema.processlist where id = ?",
        [threadId],
      );
      isWaiting = String(state?.["state"]).startsWith("Waiting");
    }
    await pool.query(`kill ${threadId}`);

    expect(await emitted).toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await other.query("unlock tables");
    other.release();
    await emitter(messageOf(), contextOf());
    expect(await rows()).toHaveLength(1);
    await single.end();
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
  });

  it("stores the words of a sender as they are, whatever the mode of the server [G2]", async () => {
    const { pool, table, rows } = opened;
    const client = await pool.getConnection();
    await client.query("set sql_mode = 'NO_BACKSLASH_ESCAPES'");
    const word = "\\', '', '', '', ''); drop table x; -- ";
    await mariaDbOutboxEmitter({ client, table })(messageOf({ groupId: word, eventType: word }), contextOf());
    client.destroy();

    const [row] = await rows();
    expect(row?.["group_id"]).toBe(word);
    expect(value(row?.["attributes"])["type"]).toBe(word);
  });
});

describe("mariaDbOutboxEmitter", () => {
  const failing = (error: object): MariaDbExecutable => ({
    execute: async () => {
      throw Object.assign(new Error("x"), error);
    },
  });

  it.each([
    [{ code: "ER_DISK_FULL", errno: 1021 }, 10],
    [{ code: "ER_RECORD_FILE_FULL", errno: 1114 }, 10],
    [{ code: "ER_CON_COUNT_ERROR", errno: 1040 }, 1],
    [{ code: "ER_OPTION_PREVENTS_STATEMENT", errno: 1290 }, 1],
    [{ code: "ECONNREFUSED", errno: -111 }, 1],
    [{ code: "PROTOCOL_CONNECTION_LOST" }, 1],
    [{}, 1],
  ])("is busy at %j, for %d seconds [J1]", async (error, seconds) => {
    const { port } = await serveNode({ emitter: mariaDbOutboxEmitter({ client: failing(error) }) });
    const answer = await send(port, { body: "1" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, String(seconds)]);
  });

  it("refuses with 413 what is larger than max_allowed_packet [G1]", async () => {
    const error = { code: "ER_NET_PACKET_TOO_LARGE", errno: 1153, sqlState: "08S01" };
    const { port } = await serveNode({ emitter: mariaDbOutboxEmitter({ client: failing(error) }) });
    expect((await send(port, { body: "1" })).status).toBe(413);
  });

  it("leaves other failures as they are: a mistaken set-up drops nothing [J1]", async () => {
    const error = { code: "ER_TABLEACCESS_DENIED_ERROR", errno: 1142, sqlState: "42000" };
    const emitter = mariaDbOutboxEmitter({ client: failing(error) });
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject(error);
  });

  it("settles where the client never does, and holds no more than one batch of it [J1]", async () => {
    let calls = 0;
    const client = { execute: () => (calls++, new Promise(() => {})) };
    const emitter = mariaDbOutboxEmitter({ client, timeoutMs: 50 });
    for (let round = 0; round < 3; round++) {
      await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    }
    expect(calls).toBe(1);
  });

  it("refuses wrong options while the server starts [J1]", () => {
    const made = (options: object) => () =>
      mariaDbOutboxEmitter({ client: { execute: async () => undefined }, ...options });
    expect(made({ client: {} })).toThrow("client: an object is no pool of mysql2/promise.");
    const callbackPool = createCallbackPool(CONNECTION);
    expect(made({ client: callbackPool })).toThrow("pass pool.promise()");
    callbackPool.end();
    expect(made({ tabel: "x" })).toThrow("Did you mean table?");
    expect(made({ table: "" })).toThrow(TypeError);
    expect(made({ table: "a.b.c" })).toThrow("neither a table's name nor database.table");
    expect(made({ table: "x".repeat(65) })).toThrow(TypeError);
    expect(made({ timeoutMs: NaN })).toThrow(TypeError);
  });
});
