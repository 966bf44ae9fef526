/**
 * Has Redis as the tenant's table: senders are known by their tokens, and each may deliver so often a minute, whichever of
 * your processes it reaches.
 *
 *     node examples/table-redis.js      (with Redis at localhost:6379)
 *     redis-cli hset webhook:senders "$(printf secret | sha256sum | cut -d' ' -f1)" acme
 *     curl -H 'Authorization: Bearer secret' -H 'Content-Type: application/json' -d '{"order":7}' localhost:3000/webhooks/orders
 */
const express = require("express");
const { AuthCredentials, createWebhookNode, HTTPException, SimpleUser } = require("express-webhook-node");
const { createTenant } = require("express-webhook-node/tenant/tenant");
const { createHash } = require("node:crypto");

/**
 * The table is the client that the package `redis` makes. It opens the connection, and closes it: the tenant borrows it.
 *
 * @typedef {import("redis").RedisClientType} Table
 * @typedef {{ readonly table: Table, readonly config: { readonly prefix: string, readonly perMinute: number } }} State
 * @typedef {import("express-webhook-node").Context<State>} Context
 */

/** @type {import("express-webhook-node").Authenticator<Context>} */
async function senderAuthenticator({ context, request }) {
  const { prefix, perMinute } = context.config;
  const token = /^Bearer ([\w.~+/-]+=*)$/.exec(request.get("authorization") ?? "")?.[1];
  if (token === undefined) throw challenge("A bearer token is missing");

  // Redis holds a hash of each token: who reads it there can send nothing. 256 bits of it leave no way to guess from timing.
  const tokenHash = createHash("sha256").update(token).digest("hex");
  const sender = await orLater(context, context.table.hGet(`${prefix}:senders`, tokenHash));
  if (!sender) throw challenge("The token is not known");

  // A key for each minute, which outlives it a little: nothing is left to tidy up.
  const key = `${prefix}:minute:${Math.floor(Date.now() / 60_000)}:${sender}`;
  const [count] = await orLater(context, context.table.multi().incr(key).expire(key, 120).exec());
  if (Number(count) > perMinute) {
    throw new HTTPException(429, { detail: "Too many deliveries a minute", headers: { "Retry-After": "60" } });
  }
  return [new AuthCredentials(["push"]), new SimpleUser(sender)];
}

/** Where Redis is out of reach nobody can be told from anybody: that is not the sender's fault, and it is to try again. */
async function orLater(context, answer) {
  try {
    return await answer;
  } catch (error) {
    context.logger.error("Redis does not answer", error);
    throw new HTTPException(503, { headers: { "Retry-After": "5" } });
  }
}

function challenge(detail) {
  return new HTTPException(401, { detail, headers: { "WWW-Authenticate": "Bearer" } });
}

/** @param {{ table: Table, prefix?: string, perMinute?: number, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ table, prefix = "webhook", perMinute = 60, emitter, logger }) {
  const tenant = createTenant({ name: "acme", table, config: { prefix, perMinute }, logger });
  const app = express();
  for (const name of ["orders", "invoices"]) {
    app.use(`/webhooks/${name}`, createWebhookNode({ tenant, name, authenticator: senderAuthenticator, emitter }));
  }
  return app;
}

module.exports = { createApp };

if (require.main === module) {
  const { createClient } = require("redis");
  const table = createClient({ url: process.env.REDIS_URL ?? "redis://localhost:6379" });
  table.on("error", (error) => console.error("Redis:", error.message));
  const app = createApp({
    table,
    emitter: async (message) => console.log(message.node, message.sender?.name, message.payload),
  });
  void table.connect().then(() => {
    app.listen(3000, () => console.log("http://localhost:3000/webhooks/orders"));
  });
}
