/** Fastify with its own parser, and the plugin of its makers for content codings. */
const { randomUUID } = require("node:crypto");
const compress = require("@fastify/compress");
const { fastify } = require("fastify");
const { LIMIT_BYTES } = require("../limits");

/** @returns {Promise<import("node:http").RequestListener>} */
async function parsed() {
  const app = fastify({ bodyLimit: LIMIT_BYTES });
  await app.register(compress, { globalCompression: false });
  app.post("/in", async () => ({ trackingId: randomUUID() }));
  await app.ready();
  return (request, response) => app.routing(request, response);
}

module.exports = { parsed };
