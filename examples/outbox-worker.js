/**
 * Takes the messages of an outbox in PostgreSQL, one at a time, and does something with each: any number of workers share the
 * table. Messages of one group are taken in their order; what fails comes again later, and later each time.
 *
 *     node examples/outbox-worker.js      (with PostgreSQL where PGHOST, PGUSER and the others say)
 */
const { outboxSchema } = require("express-webhook-node/emit/postgres-outbox");
const { setTimeout: sleep } = require("node:timers/promises");

// A row that another worker has locked is skipped. Of a group the oldest alone is taken, so none overtakes it.
const TAKE = `
  select id, message_key, content_type, octets, attributes, fields
  from webhook_outbox as one
  where done_at is null and next_at <= now() and (
    group_id is null or not exists (
      select from webhook_outbox as older
      where older.group_id = one.group_id and older.done_at is null and older.id < one.id
    )
  )
  order by id
  limit 1
  for update skip locked`;
const DONE = "update webhook_outbox set done_at = now() where id = $1";
// 1, 2, 4 seconds and so on, up to an hour.
const LATER = `
  update webhook_outbox
  set attempts = attempts + 1, next_at = now() + least(3600, power(2, least(attempts, 12))) * interval '1 second'
  where id = $1`;
// As long as a row is there, its delivery is not taken again: longer than any sender tries.
const DELETE = "delete from webhook_outbox where done_at < now() - interval '7 days'";

/**
 * @typedef {object} OutboxRow
 * @property {string} id
 * @property {string} message_key Same for a delivery that is sent again.
 * @property {string} content_type
 * @property {Buffer} octets
 * @property {Record<string, string>} attributes
 * @property {Record<string, string>} fields
 */

/**
 * Takes one message, and resolves to whether there was one.
 *
 * What `handle` writes by the client it is given is committed together with the fact that the message is done: once, for good.
 * What it does elsewhere may happen again, for the process may end before the commit.
 *
 * @param {import("pg").Pool} pool
 * @param {(row: OutboxRow, client: import("pg").PoolClient) => Promise<unknown>} handle
 * @param {(error: unknown) => void} [onError]
 */
async function takeOne(pool, handle, onError = console.error) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const [row] = (await client.query(TAKE)).rows;
    if (row) {
      await client.query("savepoint taken");
      try {
        await handle(row, client);
        await client.query(DONE, [row.id]);
      } catch (error) {
        onError(error);
        await client.query("rollback to savepoint taken");
        await client.query(LATER, [row.id]);
      }
    }
    await client.query("commit");
    client.release();
    return row !== undefined;
  } catch (error) {
    // A connection that is closed rolls back.
    client.release(true);
    throw error;
  }
}

/**
 * Works until the signal fires.
 *
 * @param {{ pool: import("pg").Pool, handle: Parameters<typeof takeOne>[1], signal: AbortSignal, pauseMs?: number }} options
 */
async function work({ pool, handle, signal, pauseMs = 1000 }) {
  let cleanAt = 0;
  while (!signal.aborted) {
    try {
      if (Date.now() > cleanAt) {
        await pool.query(DELETE);
        cleanAt = Date.now() + 3_600_000;
      }
      if (await takeOne(pool, handle)) continue;
    } catch (error) {
      console.error("PostgreSQL does not answer", error);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

module.exports = { takeOne, work };

if (require.main === module) {
  const { Pool } = require("pg");
  const pool = new Pool();
  pool.on("error", (error) => console.error("PostgreSQL:", error.message));
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stop.abort());
  void (async () => {
    await pool.query(outboxSchema());
    await work({
      pool,
      handle: async (row) => console.log(row.attributes.type, row.octets.toString()),
      signal: stop.signal,
    });
    await pool.end();
  })();
}
