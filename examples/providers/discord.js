/**
 * Receives Discord's webhook events. Its PING is answered by the source.
 *
 *     DISCORD_PUBLIC_KEY=... node examples/providers/discord.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { discord } = require("express-webhook-node/sources/discord");

/** @param {{ publicKey: string, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ publicKey, emitter, logger }) {
  return express().use(
    "/webhooks/discord",
    createWebhookNode({
      source: discord({ publicKeys: [publicKey] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    publicKey: process.env.DISCORD_PUBLIC_KEY ?? "",
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/discord"));
}
