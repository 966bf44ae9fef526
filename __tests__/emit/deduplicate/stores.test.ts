/**
 * What holds of every store of deduplication, tried on the real ones.
 */
import { memoryDeduplication, type DeduplicationStore } from "express-webhook-node";
import { deduplicationTable, postgresDeduplication } from "express-webhook-node/emit/deduplicate/postgres";
import { redisDeduplication } from "express-webhook-node/emit/deduplicate/redis";
import { Pool } from "pg";
import { createClient } from "redis";
import { send, serveNode } from "../../support/serve";
import { describeWith, unique } from "../../support/service";
import { watchUnhandled } from "../../support/unhandled";

watchUnhandled();

const MINUTE = 60_000;
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let keys = 0;
const newKey = (): string => `${unique}_${keys++}`;

/** Two stores on one memory, table or server, as two processes have them. */
type Shared = readonly [DeduplicationStore, DeduplicationStore];

function storeContract(describe: jest.Describe, name: string, open: () => Promise<Shared>): void {
  describe(`${name} [J3]`, () => {
    let one: DeduplicationStore;
    let other: DeduplicationStore;
    beforeAll(async () => {
      [one, other] = await open();
    });

    it("lets one claim a key, and tells all others that it is under way", async () => {
      const key = newKey();
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).claim(key, { owner: `o${n}`, leaseMs: MINUTE })),
      );
      expect(claims.filter(({ state }) => state === "claimed")).toHaveLength(1);
      expect(claims.filter(({ state }) => state === "underWay")).toHaveLength(19);
    });

    it("tells what was confirmed, and by which tracking id, until the window is over", async () => {
      const key = newKey();
      await one.claim(key, { owner: "a", leaseMs: MINUTE });
      await one.confirm(key, { owner: "a", trackingId: "t1", windowMs: 1_000 });
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "delivered", trackingId: "t1" });
      await later(1_100);
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "claimed" });
    });

    it("frees a key that its owner lets go, and no other's", async () => {
      const key = newKey();
      await one.claim(key, { owner: "a", leaseMs: MINUTE });
      await other.release(key, { owner: "b" });
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "underWay" });
      await one.release(key, { owner: "a" });
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "claimed" });
      await one.release(key, { owner: "a" });
      expect(await one.claim(key, { owner: "c", leaseMs: MINUTE })).toEqual({ state: "underWay" });
    });

    it("frees a key whose lease has run out, and lets go of nothing that was delivered", async () => {
      const key = newKey();
      await one.claim(key, { owner: "a", leaseMs: 100 });
      await later(200);
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "claimed" });
      await other.confirm(key, { owner: "b", trackingId: "t2", windowMs: MINUTE });
      await other.release(key, { owner: "b" });
      expect(await one.claim(key, { owner: "c", leaseMs: MINUTE })).toEqual({ state: "delivered", trackingId: "t2" });
    });

    it("keeps what is delivered by an owner whose lease had run out: the message is with the receiver", async () => {
      const key = newKey();
      await one.claim(key, { owner: "a", leaseMs: 50 });
      await later(150);
      await one.confirm(key, { owner: "a", trackingId: "t3", windowMs: MINUTE });
      expect(await other.claim(key, { owner: "b", leaseMs: MINUTE })).toEqual({ state: "delivered", trackingId: "t3" });
    });
  });
}

storeContract(describe, "memoryDeduplication", async () => {
  const store = memoryDeduplication();
  return [store, store];
});

describe("memoryDeduplication", () => {
  it("forgets the oldest beyond maxKeys, and no more [J3]", async () => {
    const store = memoryDeduplication({ maxKeys: 2 });
    for (const key of ["a", "b", "c"]) {
      await store.claim(key, { owner: "o", leaseMs: MINUTE });
      await store.confirm(key, { owner: "o", trackingId: key, windowMs: MINUTE });
    }
    const states = [];
    for (const key of ["c", "b", "a"]) states.push((await store.claim(key, { owner: "o", leaseMs: MINUTE })).state);
    expect(states).toEqual(["delivered", "delivered", "claimed"]);
  });

  it.each([{ maxKeys: 0 }, { maxKeys: "7" }, { max: 7 }])("throws at start for %j", (options) => {
    expect(() => memoryDeduplication(options as object)).toThrow(TypeError);
  });
});

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

storeContract(describeWith("Redis", 6379), "redisDeduplication", async () => {
  const clients = [createClient(), createClient()] as const;
  for (const client of clients) {
    await client.connect();
    closing.push(() => client.destroy());
  }
  const [one, other] = clients;
  return [redisDeduplication({ client: one }), redisDeduplication({ client: other })];
});

storeContract(describeWith("PostgreSQL", 5432), "postgresDeduplication", async () => {
  const pools = [0, 1].map(() => new Pool({ host: "127.0.0.1", user: "postgres", database: "test" }));
  const [one, other] = pools as [Pool, Pool];
  const table = `${unique}_keys`;
  await one.query(deduplicationTable(table));
  closing.push(async () => {
    await one.query(`drop table ${table}`);
    await Promise.all(pools.map((pool) => pool.end()));
  });
  return [postgresDeduplication({ client: one, table }), postgresDeduplication({ client: other, table })];
});

describeWith("PostgreSQL", 5432)("postgresDeduplication", () => {
  it("makes its table and an index once, with a schema, too", async () => {
    const pool = new Pool({ host: "127.0.0.1", user: "postgres", database: "test" });
    const long = `${unique}_${"long".repeat(20)}`.slice(0, 63);
    try {
      for (const table of [long, `public.${long}`]) await pool.query(deduplicationTable(table));
      const { rows } = await pool.query<{ indexdef: string }>("select indexdef from pg_indexes where tablename = $1", [
        long,
      ]);
      expect(rows.filter(({ indexdef }) => indexdef.endsWith("(expires_at)"))).toHaveLength(1);
    } finally {
      await pool.query(`drop table "${long}"`);
      await pool.end();
    }
  });

  it("says what makes its table where there is none", async () => {
    const pool = new Pool({ host: "127.0.0.1", user: "postgres", database: "test" });
    const store = postgresDeduplication({ client: pool, table: `public.${unique}_none` });
    await expect(store.claim("k", { owner: "o", leaseMs: MINUTE })).rejects.toThrow("deduplicationTable()");
    await pool.end();
  });

  it("takes none for delivered whose window is over while another claims it again [J3]", async () => {
    const pool = new Pool({ host: "127.0.0.1", user: "postgres", database: "test" });
    const table = `${unique}_race`;
    await pool.query(deduplicationTable(table));
    const store = postgresDeduplication({ client: pool, table });
    await store.confirm("k", { owner: "a", trackingId: "t", windowMs: 1 });
    await later(50);
    const other = await pool.connect();
    try {
      await other.query("begin");
      await other.query(
        `update ${table} set owner = 'b', tracking_id = null, expires_at = clock_timestamp() + interval '1 minute'`,
      );
      const claim = store.claim("k", { owner: "c", leaseMs: MINUTE });
      await later(200);
      await other.query("commit");
      expect(await claim).toEqual({ state: "underWay" });
    } finally {
      other.release();
      await pool.query(`drop table ${table}`);
      await pool.end();
    }
  });
});

describe("postgresDeduplication", () => {
  it("names in the log what makes its table where there is none [J1]", async () => {
    const missing = Object.assign(new Error('relation "x" does not exist'), { code: "42P01" });
    const store = postgresDeduplication({ client: { query: () => Promise.reject(missing) } });
    const { port, lines } = await serveNode({ deduplicate: { store, key: () => "k" } });
    expect((await send(port, { body: "{}" })).status).toBe(503);
    expect(lines.join()).toContain(
      'PostgreSQL has no table "webhook_deduplication": run what deduplicationTable() returns.',
    );
  });

  it("hands on any other failure as it is [J1]", async () => {
    const failure = new Error("no route");
    const store = postgresDeduplication({ client: { query: () => Promise.reject(failure) } });
    await expect(store.release("k", { owner: "o" })).rejects.toBe(failure);
  });

  it("deletes what has expired as fast as it comes, and by one statement at a time [J3]", async () => {
    const sweeps: ((count: number) => void)[] = [];
    const client = {
      query: async (text: string, [, owner]: unknown[]) => {
        if (!text.startsWith("delete")) return { rows: [{ owner, tracking_id: null }] };
        const count = await new Promise<number>((resolve) => sweeps.push(resolve));
        return { rows: Array.from({ length: count }, () => ({})) };
      },
    };
    const store = postgresDeduplication({ client });
    const claim = async (): Promise<number> => {
      await store.claim(newKey(), { owner: "o", leaseMs: MINUTE });
      return sweeps.length;
    };
    expect([await claim(), await claim()]).toEqual([1, 1]);
    sweeps[0]?.(1000);
    await later(1);
    expect([await claim(), await claim()]).toEqual([2, 2]);
    sweeps[1]?.(999);
    await later(1);
    expect(await claim()).toBe(2);
  });
});

describe("redisDeduplication", () => {
  it("reads what a client hands over in octets [J3]", async () => {
    const store = redisDeduplication({ client: { call: async () => Buffer.from("delivered t") } });
    expect(await store.claim("k", { owner: "o", leaseMs: MINUTE })).toEqual({ state: "delivered", trackingId: "t" });
  });
});

describe("stores", () => {
  it.each<[string, () => unknown, string]>([
    ["Redis without a client", () => redisDeduplication({ client: undefined as never }), "client"],
    ["Redis with a pool", () => redisDeduplication({ client: { query() {} } as never }), "client"],
    ["an empty prefix", () => redisDeduplication({ client: { call: async () => null }, prefix: "" }), "prefix"],
    ["PostgreSQL without a client", () => postgresDeduplication({ client: {} as never }), "client"],
    ["a table with a quote", () => deduplicationTable('a"; drop table b; --'), "table"],
    ["a table of three parts", () => deduplicationTable("a.b.c"), "table"],
    ["an unknown word", () => redisDeduplication({ clients: {} } as never), "clients"],
  ])("throw at start with %s", (_, make, word) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(word);
  });
});
