/**
 * Emitter: a table of PostgreSQL as an outbox, from which workers take the messages.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown, text } from "../request/options";
import { BusyError } from "./busy-error";
import { outboxEmitter, outboxRow, type OutboxRow } from "./outbox";
import { PermanentError } from "./permanent-error";

/** The one method called on the `Pool`, `Client` or `PoolClient` of the package `pg`. */
export type PostgresQueryable = {
  query(config: { text: string; values: unknown[]; query_timeout?: number }): Promise<{ rowCount: number | null }>;
};

export type PostgresOutboxEmitterOptions = {
  /**
   * A `Pool` of the package `pg` that the app has made, and ends. Listen to its `error` event, and give it a
   * `statement_timeout`, so that the server, too, gives up what nobody waits for. A `Client` will do as well, but is not
   * connected anew once its connection is lost.
   */
  readonly client: PostgresQueryable;
  /**
   * The table, with its schema before a dot where it has one: `app.webhook_outbox`. It is quoted, so letters keep their case.
   *
   * @defaultValue `"webhook_outbox"`
   */
  readonly table?: string | undefined;
  /**
   * How long a message may take to be stored, in milliseconds. After that the delivery is refused with 503; the row may be
   * inserted yet, and the same delivery sent again is then found to be there.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
};

const WORDS = ["client", "table", "timeoutMs"];
const DEFAULT_TABLE = "webhook_outbox";

/** Names hold 63 octets, and the indexes append to the table's. PostgreSQL, section 4.1.1. */
const MAX_NAME_BYTES = 63 - "_waiting_of_group".length;

/** The columns of a row, with their types: PostgreSQL does not look them up for more than one row. */
const COLUMNS = {
  message_key: "text",
  group_id: "text",
  content_type: "text",
  octets: "bytea",
  attributes: "jsonb",
  fields: "jsonb",
};
const TYPES = Object.values(COLUMNS);

/** Codes are classes of two characters and three more; none begins with E, as Node's do. PostgreSQL, appendix A. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;
/**
 * Passes by itself, or by more room: connection exceptions, transaction rollback, insufficient resources (disk full, too many
 * connections), operator intervention (shutdown, a query cancelled), system errors; a lock held; a server that only reads.
 */
const BUSY = /^(?:08|40|53|57|58|55P03|25006)/;
/** Data exceptions, integrity constraints, program limits: of one row, as like as not. */
const OF_ONE_ROW = /^(?:22|23|54)/;
/** A full disk is not emptied within a second. */
const FULL_RETRY_SECONDS = 10;

/**
 * The statements that make the table and its indexes. They may be run again: what is there is left alone.
 *
 * `message_key` is the message's `key`, and unique: a delivery that is sent again is kept once, for as long as its row is
 * there. `octets` is the body. `attributes` holds what is told of the message under the names of CloudEvents 1.0.2 (`id`,
 * `type`, `trackingid` and so on), `fields` the header fields chosen. `attempts`, `next_at` and `done_at` are the worker's.
 */
export function outboxSchema(table: string = DEFAULT_TABLE): string {
  const { name, index } = identifiers(table);
  return `create table if not exists ${name} (
  id bigint generated always as identity primary key,
  message_key text not null unique,
  group_id text,
  content_type text not null,
  octets bytea not null,
  attributes jsonb not null,
  fields jsonb not null,
  created_at timestamptz not null default now(),
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  done_at timestamptz
);
create index if not exists ${index("_waiting")} on ${name} (id) where done_at is null;
create index if not exists ${index("_waiting_of_group")} on ${name} (group_id, id) where done_at is null;
create index if not exists ${index("_done")} on ${name} (done_at) where done_at is not null;
`;
}

/**
 * Inserts a message by a connection that you hold: within your transaction it is stored if, and only if, what else you wrote
 * is. It resolves to `false` where the table has that message already, so that you need not do your part again.
 *
 * @example
 * ```ts
 * const emitter: Emitter<Order> = async (message) => {
 *   const client = await pool.connect();
 *   try {
 *     await client.query("begin");
 *     if (await insertIntoOutbox(client, message)) await client.query("insert into orders ...", [message.payload.id]);
 *     await client.query("commit");
 *     client.release();
 *   } catch (error) {
 *     client.release(true); // closes the connection, which rolls back
 *     throw error;
 *   }
 * };
 * ```
 */
export async function insertIntoOutbox(
  client: PostgresQueryable,
  message: Message,
  { table = DEFAULT_TABLE }: { readonly table?: string | undefined } = {},
): Promise<boolean> {
  try {
    const { rowCount } = await client.query(insertion(identifiers(table).name, [outboxRow(message)]));
    return rowCount === 1;
  } catch (error) {
    throw explained(error, table);
  }
}

/**
 * Creates an emitter that inserts messages into a table, and settles once PostgreSQL has committed them. Make the table by
 * `outboxSchema()`.
 *
 * - Promise: at least once, and durable unless `synchronous_commit` is off.
 * - Deduplicated by the message's `key` for as long as the row is there: let workers mark rows as done, and delete them
 *   after the days for which the sender tries again.
 * - Ordered by `id`, among what one process emits; `group_id` tells what belongs together.
 * - Messages that come at the same time are inserted together, up to 100 at once, one batch after the other.
 * - It rejects with a `BusyError` where PostgreSQL cannot be reached, is full, only reads or is shutting down, and with a
 *   `PermanentError` where it says that the data can never be stored (SQLSTATE class 22).
 */
export function postgresOutboxEmitter(options: PostgresOutboxEmitterOptions): Emitter {
  checkOptions("postgresOutboxEmitter", options, WORDS);
  const { client, table = DEFAULT_TABLE, timeoutMs = 5_000 } = options;
  if (typeof (client as Partial<PostgresQueryable> | null | undefined)?.query !== "function") {
    throw new TypeError(`client: ${shown(client)} is no Pool or Client of pg.`);
  }
  const { name } = identifiers(table);
  positiveInteger("timeoutMs", timeoutMs);

  return outboxEmitter({
    // pg counts from when the query has a connection, and frees that connection; we count from when the message came.
    insert: (rows) => client.query({ ...insertion(name, rows), query_timeout: timeoutMs }),
    isOfOneRow: (error) => OF_ONE_ROW.test(stateOf(error) ?? ""),
    explained: (error) => explained(error, table),
    timeoutMs,
  });
}

function insertion(name: string, rows: readonly OutboxRow[]): { text: string; values: unknown[] } {
  const tuple = (_: OutboxRow, row: number): string =>
    `(${TYPES.map((type, column) => `$${row * TYPES.length + column + 1}::${type}`).join(", ")})`;
  return {
    text: `insert into ${name} (${Object.keys(COLUMNS).join(", ")}) values ${rows.map(tuple).join(", ")} on conflict (message_key) do nothing`,
    values: rows.flatMap(({ key, groupId, contentType, octets, attributes, fields }) => [
      key,
      groupId,
      contentType,
      octets,
      attributes,
      fields,
    ]),
  };
}

/** The table's name, quoted, and the names of its indexes, which are always in the table's schema. */
function identifiers(table: string): { readonly name: string; readonly index: (suffix: string) => string } {
  const parts = text("table", table).split(".");
  const last = parts.at(-1) as string;
  if (parts.length > 2 || parts.includes("") || table.includes("\0")) {
    throw new TypeError(`table: ${shown(table)} is neither a table's name nor schema.table.`);
  }
  if (Buffer.byteLength(last) > MAX_NAME_BYTES) {
    throw new TypeError(`table: ${shown(table)} is longer than ${MAX_NAME_BYTES} octets, which its indexes need.`);
  }
  return { name: parts.map(quoted).join("."), index: (suffix) => quoted(`${last}${suffix}`) };
}

/** PostgreSQL, section 4.1.1: a quote within is written twice. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function stateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && SQLSTATE.test(code) ? code : undefined;
}

/** What pg or PostgreSQL says, as what the node answers by. What has no SQLSTATE never reached the server. */
function explained(error: unknown, table: string): unknown {
  const state = stateOf(error);
  if (state === undefined) return new BusyError("PostgreSQL cannot be reached.", { cause: error });
  if (BUSY.test(state)) {
    const retryAfterSeconds = state === "53100" ? FULL_RETRY_SECONDS : 1;
    return new BusyError(`PostgreSQL takes no message now (${state}).`, { retryAfterSeconds, cause: error });
  }
  if (state.startsWith("22")) {
    return new PermanentError(`PostgreSQL can never store this message (${state}).`, { cause: error });
  }
  if (state === "42P01") {
    return new Error(`PostgreSQL has no table ${table}: run what outboxSchema() returns.`, { cause: error });
  }
  return error;
}
