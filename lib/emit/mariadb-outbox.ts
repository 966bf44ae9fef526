/**
 * Emitter: a table of MariaDB or MySQL as an outbox, from which workers take the messages.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkOptions, positiveInteger, shown, text } from "../request/options";
import { BusyError } from "./busy-error";
import { outboxEmitter, outboxRow, type OutboxRow } from "./outbox";
import { PermanentError } from "./permanent-error";
import { tooLarge } from "./too-large";

/** The one method called on the pool or connection of `mysql2/promise`. */
export type MariaDbExecutable = {
  execute(options: { sql: string; values: (string | Buffer | null)[]; timeout?: number }): Promise<unknown>;
};

export type MariaDbOutboxEmitterOptions = {
  /** A pool of `mysql2/promise` that the app has made, and ends; of a pool of `mysql2` itself, `pool.promise()`. */
  readonly client: MariaDbExecutable;
  /**
   * The table, with its database before a dot where it is not the connection's: `app.webhook_outbox`.
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
/** MariaDB, "Identifier Names": in characters. */
const MAX_NAME_LENGTH = 64;

const COLUMNS = "message_key, group_id, content_type, octets, attributes, fields";
const TUPLE = "(?, ?, ?, ?, ?, ?)";

/**
 * Passes by itself, or by more room: disk full, out of memory, too many connections, shutdown, table full, a lock held, a
 * deadlock, a server that only reads, a statement cut off. MariaDB, "Error Codes"; MySQL, "Server Error Message Reference".
 */
const BUSY = new Set([
  1021, 1026, 1037, 1038, 1040, 1041, 1053, 1114, 1203, 1205, 1213, 1226, 1290, 1317, 1792, 1836, 1927, 1969, 3024,
]);
const FULL = new Set([1021, 1026, 1114]);
/** A full disk is not emptied within a second. */
const FULL_RETRY_SECONDS = 10;
/** A statement larger than `max_allowed_packet`. */
const TOO_LARGE = 1153;
const NO_SUCH_TABLE = 1146;
/** SQLSTATE: data exceptions and integrity constraints. */
const OF_ONE_ROW = /^2[23]/;

/**
 * The statement that makes the table. It may be run again: what is there is left alone.
 *
 * `message_key` is the message's `key`, and unique: a delivery that is sent again is kept once, for as long as its row is
 * there. `octets` is the body. `attributes` holds what is told of the message under the names of CloudEvents 1.0.2 (`id`,
 * `type`, `trackingid` and so on), `fields` the header fields chosen. `attempts`, `next_at` and `done_at` are the worker's.
 */
export function outboxSchema(table: string = DEFAULT_TABLE): string {
  return `create table if not exists ${quotedName(table)} (
  id bigint unsigned not null auto_increment primary key,
  message_key varchar(64) character set ascii collate ascii_bin not null unique,
  group_id varchar(256) collate utf8mb4_bin,
  content_type text not null,
  octets longblob not null,
  attributes json not null,
  fields json not null,
  created_at datetime(3) not null default current_timestamp(3),
  attempts int not null default 0,
  next_at datetime(3) not null default current_timestamp(3),
  done_at datetime(3),
  key waiting (done_at, id),
  key waiting_of_group (group_id, done_at, id)
) engine = InnoDB default character set utf8mb4`;
}

/**
 * Inserts a message by a connection that you hold: within your transaction it is stored if, and only if, what else you wrote
 * is. A message that the table has already is left as it is.
 */
export async function insertIntoOutbox(
  client: MariaDbExecutable,
  message: Message,
  { table = DEFAULT_TABLE }: { readonly table?: string | undefined } = {},
): Promise<void> {
  try {
    await client.execute(insertion(quotedName(table), [outboxRow(message)]));
  } catch (error) {
    throw explained(error, table);
  }
}

/**
 * Creates an emitter that inserts messages into a table, and settles once the database has committed them. Make the table by
 * `outboxSchema()`.
 *
 * - Promise: at least once, and durable as `innodb_flush_log_at_trx_commit` says (1, the default, is).
 * - Deduplicated by the message's `key` for as long as the row is there: let workers mark rows as done, and delete them
 *   after the days for which the sender tries again.
 * - Ordered by `id`, among what one process emits; `group_id` tells what belongs together.
 * - Messages that come at the same time are inserted together, up to 100 at once, one batch after the other.
 * - It rejects with a `BusyError` where the database cannot be reached, is full, only reads or is shutting down, and with a
 *   `PermanentError` where the data can never be stored (SQLSTATE class 22).
 * - Keep the node's `maxBytes` below `max_allowed_packet` (16 MiB unless told otherwise): a message that is larger is refused
 *   with `ERR_WEBHOOK_BODY_TOO_LARGE` where the database says so, but it may just cut the connection, which is 503.
 */
export function mariaDbOutboxEmitter(options: MariaDbOutboxEmitterOptions): Emitter {
  checkOptions("mariaDbOutboxEmitter", options, WORDS);
  const { client, table = DEFAULT_TABLE, timeoutMs = 5_000 } = options;
  const { execute, promise } = (client ?? {}) as Partial<MariaDbExecutable> & { readonly promise?: unknown };
  if (typeof execute !== "function") throw new TypeError(`client: ${shown(client)} is no pool of mysql2/promise.`);
  // Its methods take callbacks, so nothing would ever be confirmed.
  if (typeof promise === "function") throw new TypeError("client: this is a pool of mysql2; pass pool.promise().");
  const name = quotedName(table);
  positiveInteger("timeoutMs", timeoutMs);

  return outboxEmitter({
    insert: (rows) => client.execute({ ...insertion(name, rows), timeout: timeoutMs }),
    isOfOneRow: (error) => numberOf(error) === TOO_LARGE || OF_ONE_ROW.test(stateOf(error)),
    explained: (error) => explained(error, table),
    timeoutMs,
  });
}

/**
 * A prepared statement: what escapes values in text depends on the server's `sql_mode`. Not `insert ignore`, which cuts off
 * what does not fit.
 */
function insertion(name: string, rows: readonly OutboxRow[]): { sql: string; values: (string | Buffer | null)[] } {
  return {
    sql: `insert into ${name} (${COLUMNS}) values ${rows.map(() => TUPLE).join(", ")} on duplicate key update message_key = ${name}.message_key`,
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

/** MariaDB, "Identifier Names": a backtick within is written twice. */
function quotedName(table: string): string {
  const parts = text("table", table).split(".");
  if (parts.length > 2 || parts.some((part) => part === "" || part.length > MAX_NAME_LENGTH || part.includes("\0"))) {
    throw new TypeError(`table: ${shown(table)} is neither a table's name nor database.table.`);
  }
  return parts.map((part) => `\`${part.replaceAll("`", "``")}\``).join(".");
}

function numberOf(error: unknown): number | undefined {
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  return typeof code === "string" && code.startsWith("ER_") && typeof errno === "number" ? errno : undefined;
}

function stateOf(error: unknown): string {
  return String((error as { readonly sqlState?: unknown } | null | undefined)?.sqlState);
}

/** What mysql2 or the database says, as what the node answers by. What has no number of an error never reached the server. */
function explained(error: unknown, table: string): unknown {
  const number = numberOf(error);
  if (number === undefined) return new BusyError("The database cannot be reached.", { cause: error });
  if (BUSY.has(number)) {
    const retryAfterSeconds = FULL.has(number) ? FULL_RETRY_SECONDS : 1;
    return new BusyError(`The database takes no message now (${number}).`, { retryAfterSeconds, cause: error });
  }
  if (number === TOO_LARGE) {
    return tooLarge(undefined, "The message is larger than the database's max_allowed_packet.", error);
  }
  if (stateOf(error).startsWith("22")) {
    return new PermanentError(`The database can never store this message (${number}).`, { cause: error });
  }
  if (number === NO_SUCH_TABLE) {
    return new Error(`There is no table ${table}: run what outboxSchema() returns.`, { cause: error });
  }
  return error;
}
