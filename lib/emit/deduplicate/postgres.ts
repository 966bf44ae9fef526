/**
 * Deduplication between processes, in a table of PostgreSQL.
 *
 * @module
 */
import { checkOptions, shown, text } from "../../request/options";
import type { DeduplicationStore } from "./store";

/** The one method called on a `Pool` or a `Client` of `pg`. */
export type PostgresClient = {
  readonly query: (text: string, values: unknown[]) => Promise<{ readonly rows: readonly unknown[] }>;
};

export type PostgresDeduplicationOptions = {
  /** A `Pool` of `pg` (8 or later). It stays the app's. */
  readonly client: PostgresClient;
  /**
   * The table, with its schema if it is not on the search path: `webhooks.deliveries`.
   *
   * @defaultValue `"webhook_deduplication"`
   */
  readonly table?: string | undefined;
};

const NAME = /^[a-z_][a-z0-9_]{0,62}$/i;
/** How often what has expired is deleted, in milliseconds, and the most rows at once. */
const SWEEP_MS = 60_000;
const SWEEP_ROWS = 1000;
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const UNDEFINED_TABLE = "42P01";

/** The statements that make the table and its index: run them in a migration. They do nothing where both are there. */
export function deduplicationTable(table = "webhook_deduplication"): string {
  const name = quoted(table);
  // PostgreSQL cuts names off at 63 octets, and an index has its table's schema.
  const index = `${table.split(".").at(-1)?.slice(0, 52)}_expires_at`;
  return `create table if not exists ${name} (
  key text primary key,
  owner text not null,
  tracking_id text,
  expires_at timestamptz not null
);
create index if not exists "${index}" on ${name} (expires_at);`;
}

/**
 * Creates a store in PostgreSQL: a row each. Once a minute whoever claims deletes rows that have expired, 1,000 by each
 * statement, for as long as there are as many.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function postgresDeduplication(options: PostgresDeduplicationOptions): DeduplicationStore {
  checkOptions("postgresDeduplication", options, ["client", "table"]);
  const { client } = options;
  if (typeof (client as Partial<PostgresClient> | null | undefined)?.query !== "function") {
    throw new TypeError(`client: ${shown(client)} has no query(): pass a Pool of pg.`);
  }
  const table = quoted(options.table ?? "webhook_deduplication");
  const statements = statementsOf(table);
  let sweptAt = -Infinity;

  async function query(statement: string, values: unknown[]): Promise<readonly unknown[]> {
    try {
      return (await client.query(statement, values)).rows;
    } catch (cause) {
      if ((cause as { code?: unknown } | null | undefined)?.code !== UNDEFINED_TABLE) throw cause;
      throw new Error(`PostgreSQL has no table ${table}: run what deduplicationTable() returns.`, { cause });
    }
  }

  async function sweep(): Promise<void> {
    sweptAt = performance.now();
    const rows = await query(statements.sweep, []);
    // There are more, and the next claim goes on.
    if (rows.length === SWEEP_ROWS) sweptAt = -Infinity;
  }

  return {
    async claim(key, { owner, leaseMs }) {
      // What could not be deleted now is the next one's to delete.
      if (performance.now() - sweptAt > SWEEP_MS) sweep().catch(() => {});
      const rows = await query(statements.claim, [key, owner, leaseMs]);
      const [row] = rows as readonly { readonly owner: string | null; readonly tracking_id: string | null }[];
      if (row?.owner === owner) return { state: "claimed" };
      // No row: another has put it in, or claimed it again, and had not committed when ours was looked up.
      if (!row || row.tracking_id === null) return { state: "underWay" };
      return { state: "delivered", trackingId: row.tracking_id };
    },
    confirm: (key, { owner, trackingId, windowMs }) => query(statements.confirm, [key, owner, trackingId, windowMs]),
    release: (key, { owner }) => query(statements.release, [key, owner]),
  };
}

function statementsOf(table: string): Readonly<Record<"claim" | "confirm" | "release" | "sweep", string>> {
  const until = (value: string): string => `clock_timestamp() + ${value} * interval '1 millisecond'`;
  return {
    claim: `with claimed as (
  insert into ${table} as kept (key, owner, expires_at) values ($1, $2, ${until("$3")})
  on conflict (key) do update set owner = excluded.owner, tracking_id = null, expires_at = excluded.expires_at
    where kept.expires_at <= clock_timestamp()
  returning owner, tracking_id
)
select owner, tracking_id from claimed
union all
select owner, tracking_id from ${table}
  where key = $1 and expires_at > clock_timestamp() and not exists (select from claimed)`,
    confirm: `insert into ${table} (key, owner, tracking_id, expires_at) values ($1, $2, $3, ${until("$4")})
on conflict (key) do update
  set owner = excluded.owner, tracking_id = excluded.tracking_id, expires_at = excluded.expires_at`,
    release: `delete from ${table} where key = $1 and owner = $2 and tracking_id is null`,
    sweep: `delete from ${table} where key in
  (select key from ${table} where expires_at <= clock_timestamp() limit ${SWEEP_ROWS} for update skip locked)
  returning 1`,
  };
}

/** A name that cannot be anything but a name. */
function quoted(table: string): string {
  const parts = text("table", table).split(".");
  if (parts.length <= 2 && parts.every((part) => NAME.test(part))) return parts.map((part) => `"${part}"`).join(".");
  throw new TypeError(`table: ${shown(table)} is not the name of a table, such as webhooks.deliveries.`);
}
