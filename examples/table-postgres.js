/**
 * Has PostgreSQL as the tenant's table: senders are rows, and what they may do is in them. The first call sets the database
 * up, under the context's lock.
 *
 *     node examples/table-postgres.js      (with PostgreSQL where PGHOST, PGUSER and the others say)
 *     psql -c "insert into webhook_senders values (sha256('secret'), 'acme', '{push}')"
 *     curl -H 'Authorization: Bearer secret' -H 'Content-Type: application/json' -d '{"order":7}' localhost:3000/webhooks/orders
 */
const express = require("express");
const { AuthCredentials, createWebhookNode, HTTPException, SimpleUser } = require("express-webhook-node");
const { createTenant } = require("express-webhook-node/tenant/tenant");
const { createHash } = require("node:crypto");

/**
 * The table is a pool of the package `pg`, which the app opens and closes.
 *
 * @typedef {{ readonly table: Pick<import("pg").Pool, "query">, isSetUp?: boolean }} State
 * @typedef {import("express-webhook-node").Context<State>} Context
 */

const SET_UP = `
  create table if not exists webhook_senders (
    token_hash bytea primary key,
    name text not null,
    scopes text[] not null default '{}',
    is_suspended boolean not null default false
  )`;
const FIND = "select name, scopes, is_suspended from webhook_senders where token_hash = $1";

/** @type {import("express-webhook-node").Authenticator<Context>} */
async function senderAuthenticator({ context, request, signal }) {
  const token = /^Bearer ([\w.~+/-]+=*)$/.exec(request.get("authorization") ?? "")?.[1];
  if (token === undefined) throw challenge("A bearer token is missing");
  try {
    await setUp(context, signal);
    const tokenHash = createHash("sha256").update(token).digest();
    const { rows } = await context.table.query(FIND, [tokenHash]);
    if (rows.length === 0) throw challenge("The token is not known");
    const [{ name, scopes, is_suspended: isSuspended }] = rows;
    if (isSuspended) throw new HTTPException(403, { detail: "Suspended" });
    return [new AuthCredentials(scopes), new SimpleUser(name)];
  } catch (error) {
    if (error instanceof HTTPException) throw error;
    // A database that is down is not the sender's fault, and it is to try again.
    context.logger.error("PostgreSQL does not answer", error);
    throw new HTTPException(503, { headers: { "Retry-After": "5" } });
  }
}

/** Once for each node, however many requests come first at the same time. Where it fails, the next of them tries. */
async function setUp(context, signal) {
  if (context.isSetUp) return;
  await context.withLock(
    async () => {
      if (context.isSetUp) return;
      context.logger.info("setting up");
      await context.table.query(SET_UP);
      context.isSetUp = true;
    },
    // A request whose time is over leaves the queue.
    { signal },
  );
}

function challenge(detail) {
  return new HTTPException(401, { detail, headers: { "WWW-Authenticate": "Bearer" } });
}

/** @param {{ table: State["table"], emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ table, emitter, logger }) {
  const tenant = createTenant({ name: "acme", table, logger });
  const app = express();
  app.use(
    "/webhooks/orders",
    createWebhookNode({ tenant, name: "orders", authenticator: senderAuthenticator, emitter }),
  );
  return app;
}

module.exports = { createApp };

if (require.main === module) {
  const { Pool } = require("pg");
  const table = new Pool();
  table.on("error", (error) => console.error("PostgreSQL:", error.message));
  const app = createApp({
    table,
    emitter: async (message) => console.log(message.node, message.sender?.name, message.payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/orders"));
}
