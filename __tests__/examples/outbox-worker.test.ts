/** The worker of an outbox, in a schema of its own of a real PostgreSQL. */
import { Pool, type PoolClient } from "pg";
import { outboxSchema, postgresOutboxEmitter } from "express-webhook-node/emit/postgres-outbox";
import { contextOf, messageOf } from "../support/message";
import { until } from "../support/serve";
import { describeWith, unique } from "../support/service";

type Handle = (row: { readonly octets: Buffer }, client: PoolClient) => Promise<unknown>;
type Worker = {
  readonly takeOne: (pool: Pool, handle: Handle, onError?: (error: unknown) => void) => Promise<boolean>;
  readonly work: (options: { pool: Pool; handle: Handle; signal: AbortSignal; pauseMs?: number }) => Promise<void>;
};

const CONNECTION = { host: "127.0.0.1", port: 5432, user: "root", database: "test" };

describeWith("PostgreSQL", CONNECTION.port)("examples/outbox-worker.js", () => {
  const { takeOne, work } = require("../../examples/outbox-worker.js") as Worker;
  let pool: Pool;
  const emit = (body: string, groupId?: string) =>
    postgresOutboxEmitter({ client: pool })(messageOf({ body, ...(groupId && { groupId }) }), contextOf());

  beforeEach(async () => {
    pool = new Pool({ ...CONNECTION, options: `-c search_path=${unique}` });
    await pool.query(`create schema ${unique}`);
    await pool.query(outboxSchema());
  });
  afterEach(async () => {
    await pool.query(`drop schema ${unique} cascade`);
    await pool.end();
  });

  it("hands each message to one of several workers, and marks it as done [J1]", async () => {
    await Promise.all(Array.from({ length: 40 }, (_, n) => emit(String(n))));
    const seen: number[] = [];
    const stop = new AbortController();
    const handle: Handle = async ({ octets }) => void seen.push(Number(octets));
    const workers = [1, 2, 3].map(() => work({ pool, handle, signal: stop.signal, pauseMs: 5 }));
    await until(() => seen.length >= 40);
    stop.abort();
    await Promise.all(workers);

    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(await takeOne(pool, handle)).toBe(false);
  });

  it("takes none of a group before its older one is done [G1]", async () => {
    for (const body of ["1", "2"]) await emit(body, "g");
    await emit("3");
    const seen: string[] = [];
    const handle: Handle = async ({ octets }) => void seen.push(octets.toString());
    await takeOne(pool, async ({ octets }) => {
      // While the first is under way, others see neither it nor the second.
      await takeOne(pool, handle);
      expect(await takeOne(pool, handle)).toBe(false);
      seen.push(octets.toString());
    });
    await takeOne(pool, handle);

    expect(seen).toEqual(["3", "1", "2"]);
  });

  it("undoes what a handler wrote before it failed, and comes again later [J1]", async () => {
    await pool.query("create table orders (id int)");
    await emit("7");
    const handle: Handle = (_row, client) => client.query("insert into orders values (7)");
    const errors: unknown[] = [];
    await takeOne(
      pool,
      async (row, client) => {
        await handle(row, client);
        throw new Error("no stock");
      },
      (error) => errors.push(error),
    );
    expect(errors).toMatchObject([{ message: "no stock" }]);
    expect(await takeOne(pool, handle)).toBe(false);
    expect((await pool.query("select * from orders")).rows).toEqual([]);

    await pool.query("update webhook_outbox set next_at = now()");
    expect(await takeOne(pool, handle)).toBe(true);
    expect((await pool.query("select * from orders")).rows).toEqual([{ id: 7 }]);
    expect((await pool.query("select attempts, done_at is not null as done from webhook_outbox")).rows).toEqual([
      { attempts: 1, done: true },
    ]);
  });
});
