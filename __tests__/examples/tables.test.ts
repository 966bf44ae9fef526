/**
 * The examples with Redis and PostgreSQL, run against real ones on this machine. Where one is not there, its tests are
 * skipped and say why, unless `SERVICES=required` says that all must be there.
 */
import { createHash } from "node:crypto";
import type { Express } from "express";
import type { Emitter, Logger, Message } from "express-webhook-node";
import { Pool } from "pg";
import { createClient } from "redis";
import { recordingLogger, send, serveApp } from "../support/serve";
import { itWith, unique } from "../support/service";

const HOST = "127.0.0.1";

const sha256 = (token: string): Buffer => createHash("sha256").update(token).digest();
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

type Options = { readonly table: unknown; readonly emitter: Emitter; readonly logger: Logger } & Record<
  string,
  unknown
>;
type Example = { readonly createApp: (options: Options) => Express };

async function serveExample(
  { createApp }: Example,
  options: Pick<Options, "table"> & Record<string, unknown>,
): Promise<{ readonly port: number; readonly messages: Message[]; readonly lines: string[] }> {
  const messages: Message[] = [];
  const lines: string[] = [];
  const emitter: Emitter = async (message) => void messages.push(message);
  const { port } = await serveApp(createApp({ emitter, logger: recordingLogger(lines), ...options }));
  return { port, messages, lines };
}

describe("examples/table-redis.js", () => {
  const example = require("../../examples/table-redis.js") as Example;
  const withRedis = itWith("Redis", 6379);
  const clients: { readonly destroy: () => void }[] = [];
  afterEach(() => clients.splice(0).forEach((client) => client.destroy()));

  async function connected() {
    const client = createClient({ url: `redis://${HOST}:6379`, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  }

  withRedis("knows senders by their tokens, and counts what they deliver to any node [F2, B1]", async () => {
    const table = await connected();
    await table.hSet(`${unique}:senders`, sha256("secret").toString("hex"), "acme");
    try {
      const { port, messages } = await serveExample(example, { table, prefix: unique, perMinute: 1000 });
      const to = (path: string, headers: object) => send(port, { path, headers: { ...headers }, body: "1" });

      expect((await to("/webhooks/orders", bearer("secret"))).status).toBe(200);
      expect((await to("/webhooks/invoices", bearer("secret"))).status).toBe(200);
      expect((await to("/webhooks/orders", bearer("guess"))).status).toBe(401);
      expect((await to("/webhooks/orders", {})).headers["www-authenticate"]).toBe("Bearer");
      expect(messages.map(({ node, sender }) => [node, sender?.name])).toEqual([
        ["orders", "acme"],
        ["invoices", "acme"],
      ]);
      // A token taken out is refused at once: there is nothing else that remembers it.
      await table.hDel(`${unique}:senders`, sha256("secret").toString("hex"));
      expect((await to("/webhooks/orders", bearer("secret"))).status).toBe(401);

      const counters = await table.keys(`${unique}:minute:*:acme`);
      const counts = await Promise.all(counters.map(async (key) => Number(await table.get(key))));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
      for (const key of counters) expect(await table.ttl(key)).toBeGreaterThan(0);
    } finally {
      await table.del([`${unique}:senders`, ...(await table.keys(`${unique}:minute:*`))]);
    }
  });

  withRedis("refuses what is more than a sender may deliver a minute: 429 [C1]", async () => {
    const table = await connected();
    const prefix = `${unique}:few`;
    await table.hSet(`${prefix}:senders`, sha256("secret").toString("hex"), "acme");
    try {
      const { port, messages } = await serveExample(example, { table, prefix, perMinute: 2 });
      // Five within one minute or two: at least one is too many.
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => send(port, { path: "/webhooks/orders", headers: bearer("secret"), body: "1" })),
      );
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused[0]!.headers["retry-after"]).toBe("60");
      expect(messages).toHaveLength(5 - refused.length);
    } finally {
      await table.del([`${prefix}:senders`, ...(await table.keys(`${prefix}:minute:*`))]);
    }
  });

  withRedis("answers 503 while Redis is out of reach, and nothing of why [C1, C2]", async () => {
    const table = await connected();
    const { port, lines } = await serveExample(example, { table, prefix: unique });
    table.destroy();
    clients.splice(0);
    const answered = await send(port, { path: "/webhooks/orders", headers: bearer("secret"), body: "1" });

    expect([answered.status, answered.headers["retry-after"]]).toEqual([503, "5"]);
    expect(answered.text).not.toContain("Redis");
    expect(lines[0]).toContain("error: webhook orders: Redis does not answer");
  });
});

describe("examples/table-postgres.js", () => {
  const example = require("../../examples/table-postgres.js") as Example;
  const withPostgres = itWith("PostgreSQL", 5432);
  const connection = { host: HOST, port: 5432, user: "root", database: "postgres" };

  /** A pool in a schema of its own, which goes when the test is over. */
  async function inSchema(use: (pool: Pool) => Promise<void>): Promise<void> {
    const pool = new Pool({ ...connection, options: `-c search_path=${unique}` });
    try {
      await pool.query(`create schema ${unique}`);
      await use(pool);
    } finally {
      await pool.query(`drop schema if exists ${unique} cascade`);
      await pool.end();
    }
  }

  withPostgres("sets the table up once, under the lock, and knows senders by their tokens [F1, F2, F3]", async () => {
    await inSchema(async (pool) => {
      const queries: string[] = [];
      const table = {
        query: (text: string, values?: unknown[]) => (queries.push(text.trim()), pool.query(text, values)),
      };
      const { port, messages } = await serveExample(example, { table });
      const to = (headers: object) => send(port, { path: "/webhooks/orders", headers: { ...headers }, body: "1" });

      const first = await Promise.all(Array.from({ length: 10 }, () => to(bearer("secret"))));
      expect(first.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 401));
      expect(queries.filter((text) => text.startsWith("create table"))).toHaveLength(1);

      const insert = "insert into webhook_senders values ($1, $2, $3, $4)";
      await pool.query(insert, [sha256("secret"), "acme", ["push"], false]);
      await pool.query(insert, [sha256("late"), "late", [], true]);
      expect((await to(bearer("secret"))).status).toBe(200);
      expect((await to(bearer("late"))).status).toBe(403);
      expect((await to({})).headers["www-authenticate"]).toBe("Bearer");
      expect(messages.map(({ sender }) => sender)).toEqual([{ name: "acme", scopes: ["push"] }]);
      expect(queries.filter((text) => text.startsWith("create table"))).toHaveLength(1);
    });
  });

  it("answers 503 while PostgreSQL is out of reach, and lets the next one set up [F3, C1, C2]", async () => {
    let isDown = true;
    const table = {
      query: async (text: string) => {
        if (isDown) throw new Error("ECONNREFUSED");
        return { rows: text.includes("select") ? [{ name: "acme", scopes: [], is_suspended: false }] : [] };
      },
    };
    const { port, lines } = await serveExample(example, { table });
    const deliver = () => send(port, { path: "/webhooks/orders", headers: bearer("secret"), body: "1" });

    const answered = await deliver();
    expect([answered.status, answered.headers["retry-after"]]).toEqual([503, "5"]);
    expect(answered.text).not.toContain("ECONNREFUSED");
    expect(lines.join("\n")).toContain("error: webhook orders: PostgreSQL does not answer");
    isDown = false;
    expect((await deliver()).status).toBe(200);
  });
});
