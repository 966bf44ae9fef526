/** The outbox in PostgreSQL, with a real one where it is there. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { Client, Pool, type PoolClient } from "pg";
import {
  insertIntoOutbox,
  outboxSchema,
  postgresOutboxEmitter,
  type PostgresQueryable,
} from "express-webhook-node/emit/postgres-outbox";
import { contextOf, messageOf } from "../support/message";
import { send, serveNode, until } from "../support/serve";
import { describeWith, unique } from "../support/service";
import { emitterContract, type Received } from "./contract";

const CONNECTION = { host: "127.0.0.1", port: 5432, user: "root", database: "test" };

type Row = { content_type: string; octets: Buffer; attributes: Record<string, string>; fields: Record<string, string> };

async function openTable(schema?: string) {
  const pool = new Pool(CONNECTION);
  pool.on("error", () => {});
  // Upper case, a space and a quote: nothing of a name is taken as SQL.
  const name = `${unique}_${randomBytes(2).toString("hex")} "X`;
  const table = schema ? `${schema}.${name}` : name;
  await pool.query(outboxSchema(table));
  const quoted = table.replaceAll('"', '""').replace(".", '"."');
  return {
    pool,
    table,
    rows: async () => (await pool.query<Row>(`select * from "${quoted}" order by id`)).rows,
    close: async () => {
      await pool.query(`drop table "${quoted}"`);
      await pool.end();
    },
  };
}

emitterContract({
  name: "postgresOutboxEmitter",
  describe: describeWith("PostgreSQL", CONNECTION.port),
  isDeduplicated: true,
  isOrdered: true,
  isBinary: true,
  open: async () => {
    const { pool, table, rows, close } = await openTable();
    return {
      emitter: postgresOutboxEmitter({ client: pool, table }),
      received: async () =>
        (await rows()).map(({ octets, content_type: contentType, attributes, fields }): Received => ({
          octets,
          contentType,
          attributes,
          fields,
        })),
      close,
    };
  },
});

describeWith("PostgreSQL", CONNECTION.port)("postgresOutboxEmitter, with the database", () => {
  let opened: Awaited<ReturnType<typeof openTable>>;
  beforeEach(async () => {
    opened = await openTable("public");
  });
  afterEach(() => opened.close());

  it("makes the table anew without a word, with its indexes [J1]", async () => {
    const { pool, table } = opened;
    await pool.query(outboxSchema(table));
    const { rows } = await pool.query("select indexname from pg_indexes where tablename = $1", [
      table.slice("public.".length),
    ]);
    expect(rows).toHaveLength(5);
  });

  it("takes a Client, too, and rejects at once when that is closed [J1]", async () => {
    const client = new Client(CONNECTION);
    await client.connect();
    const emitter = postgresOutboxEmitter({ client, table: opened.table });
    await emitter(messageOf(), contextOf());
    await client.end();

    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    expect(await opened.rows()).toHaveLength(1);
  });

  it("stores what PostgreSQL's text and jsonb cannot hold in another form [G1]", async () => {
    const emitter = postgresOutboxEmitter({ client: opened.pool, table: opened.table });
    const fields = { "x-nul": "a\0b", "x-half": "a\uD800b" };
    await emitter(messageOf({ fields, contentType: "application/json\0", groupId: "\uD800" }), contextOf());

    expect(await opened.rows()).toMatchObject([
      { fields: { "x-nul": "a\uFFFDb", "x-half": "a\uFFFDb" }, content_type: "application/json\uFFFD" },
    ]);
  });

  it("groups what is too long for an index by its digest [G1]", async () => {
    const emitter = postgresOutboxEmitter({ client: opened.pool, table: opened.table });
    const groupId = randomBytes(20_000).toString("base64");
    for (const id of [groupId, groupId, `${groupId}x`]) await emitter(messageOf({ groupId: id }), contextOf());

    const { rows } = await opened.pool.query<{ n: string }>(
      `select count(*) as n from "public"."${opened.table.slice(7).replaceAll('"', '""')}" group by group_id order by n`,
    );
    expect(rows.map(({ n }) => Number(n))).toEqual([1, 2]);
  });

  it("fails the one row that the table refuses, not those beside it [J1]", async () => {
    const { pool, table, rows } = opened;
    const quoted = `"public"."${table.slice(7).replaceAll('"', '""')}"`;
    await pool.query(`alter table ${quoted} add check (octets <> 'bad'::bytea)`);
    const emitter = postgresOutboxEmitter({ client: pool, table });
    const settled = await Promise.allSettled(
      ["1", "bad", "2"].map((body) => emitter(messageOf({ body }), contextOf())),
    );

    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await rows()).map(({ octets }) => octets.toString())).toEqual(["1", "2"]);
  });

  it("is part of the caller's transaction [J1]", async () => {
    const { pool, table, rows } = opened;
    const within = async (end: "commit" | "rollback", message = messageOf()) => {
      const client: PoolClient = await pool.connect();
      await client.query("begin");
      const isNew = await insertIntoOutbox(client, message, { table });
      await client.query(end);
      client.release();
      return isNew;
    };
    const message = messageOf();
    expect(await within("rollback", message)).toBe(true);
    expect(await rows()).toHaveLength(0);
    expect(await within("commit", message)).toBe(true);
    expect(await within("commit", message)).toBe(false);
    expect(await rows()).toHaveLength(1);
  });

  it("refuses with 503 where the table is not there, and says how to make it [J1]", async () => {
    const { port, lines } = await serveNode({
      emitter: postgresOutboxEmitter({ client: opened.pool, table: "no_such" }),
    });
    const answer = await send(port, { body: "1" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(lines.join()).toContain("run what outboxSchema() returns");
  });

  it("rejects where the database only reads [J1]", async () => {
    const client = new Client({ ...CONNECTION, options: "-c default_transaction_read_only=on" });
    await client.connect();
    const emitter = postgresOutboxEmitter({ client, table: opened.table });
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await client.end();
  });

  it("rejects while a lock is held for longer than timeoutMs, and a later one is taken [J1, J2]", async () => {
    const { pool, table, rows } = opened;
    const emitter = postgresOutboxEmitter({ client: pool, table, timeoutMs: 200 });
    const other = await pool.connect();
    await other.query(`begin; lock table "public"."${table.slice(7).replaceAll('"', '""')}" in exclusive mode`);
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await other.query("commit");
    other.release();

    const message = messageOf({ body: '"later"' });
    await emitter(message, contextOf()).catch(() => emitter(message, contextOf()));
    expect((await rows()).map(({ octets }) => octets.toString())).toContain('"later"');
  });

  it("rejects when its connection is cut, and the pool makes another [J1]", async () => {
    // A proxy whose connections can be cut in the middle of a statement.
    const sockets: Socket[] = [];
    const proxy = createServer((socket) => {
      const upstream = connect(CONNECTION.port, CONNECTION.host);
      for (const one of [socket, upstream]) {
        sockets.push(one);
        one.on("error", () => {});
      }
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const pool = new Pool({ ...CONNECTION, port: (proxy.address() as AddressInfo).port });
    pool.on("error", () => {});
    const emitter = postgresOutboxEmitter({ client: pool, table: opened.table });
    await emitter(messageOf(), contextOf());

    const other = await opened.pool.connect();
    await other.query(`begin; lock table "public"."${opened.table.slice(7).replaceAll('"', '""')}" in exclusive mode`);
    const emitted = emitter(messageOf(), contextOf()).catch((error: unknown) => error);
    await until(() => pool.idleCount === 0);
    sockets.splice(0).forEach((socket) => socket.destroy());
    expect(await emitted).toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    await other.query("rollback");
    other.release();

    await emitter(messageOf(), contextOf());
    await pool.end();
    proxy.close();
  });
});

describe("postgresOutboxEmitter", () => {
  const failing = (error: Error): PostgresQueryable => ({
    query: async () => {
      throw error;
    },
  });
  const stated = (code: string) => Object.assign(new Error(code), { code, severity: "ERROR" });

  it.each([
    ["53100", 10],
    ["53300", 1],
    ["25006", 1],
    ["57P01", 1],
    ["40001", 1],
    ["ECONNREFUSED", 1],
    ["EPIPE", 1],
    ["", 1],
  ])("is busy at %s, for %d seconds [J1]", async (code, seconds) => {
    const { port } = await serveNode({ emitter: postgresOutboxEmitter({ client: failing(stated(code)) }) });
    const answer = await send(port, { body: "1" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, String(seconds)]);
  });

  it("rejects at once where no server listens, and where the pool has ended [J1]", async () => {
    const pool = new Pool({ ...CONNECTION, port: 1 });
    const emitter = postgresOutboxEmitter({ client: pool });
    const busy = { code: "ERR_WEBHOOK_EMITTER_BUSY", cause: { code: "ECONNREFUSED" } };
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject(busy);
    await pool.end();
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: busy.code });
  });

  it("says that data which PostgreSQL refuses will never be taken [J1]", async () => {
    const emitter = postgresOutboxEmitter({ client: failing(stated("22P05")) });
    await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_PERMANENT" });
  });

  it("leaves other failures as they are: a mistaken set-up drops nothing [J1]", async () => {
    const error = stated("42501");
    const emitter = postgresOutboxEmitter({ client: failing(error) });
    await expect(emitter(messageOf(), contextOf())).rejects.toBe(error);
  });

  it("settles where the client never does, and holds no more than one batch of it [J1]", async () => {
    let calls = 0;
    const emitter = postgresOutboxEmitter({
      client: { query: () => (calls++, new Promise(() => {})) },
      timeoutMs: 50,
    });
    for (let round = 0; round < 3; round++) {
      await expect(emitter(messageOf(), contextOf())).rejects.toMatchObject({ code: "ERR_WEBHOOK_EMITTER_BUSY" });
    }
    expect(calls).toBe(1);
  });

  it("inserts what comes together by one statement of up to 100 rows [J1]", async () => {
    const sizes: number[] = [];
    const emitter = postgresOutboxEmitter({
      client: { query: async ({ values }) => ({ rowCount: sizes.push(values.length / 6) }) },
    });
    await Promise.all(Array.from({ length: 250 }, () => emitter(messageOf(), contextOf())));
    expect(sizes).toEqual([100, 100, 50]);
  });

  it("refuses wrong options while the server starts [J1]", () => {
    const client: PostgresQueryable = { query: async () => ({ rowCount: 1 }) };
    const made = (options: object) => () => postgresOutboxEmitter({ client, ...options });
    expect(made({ client: {} })).toThrow("client: an object is no Pool or Client of pg.");
    expect(made({ tabel: "x" })).toThrow("Did you mean table?");
    expect(made({ table: "" })).toThrow(TypeError);
    expect(made({ table: "a.b.c" })).toThrow("neither a table's name nor schema.table");
    expect(made({ table: "a." })).toThrow(TypeError);
    expect(made({ table: "a\0" })).toThrow(TypeError);
    expect(made({ table: "ü".repeat(30) })).toThrow("longer than");
    expect(made({ timeoutMs: 0 })).toThrow(TypeError);
    expect(() => outboxSchema("")).toThrow(TypeError);
    expect(outboxSchema('x"; drop table users; --')).toContain(
      'create table if not exists "x""; drop table users; --" (',
    );
  });
});
