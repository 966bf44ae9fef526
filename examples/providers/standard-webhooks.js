/**
 * Receives from whoever signs as Standard Webhooks or Svix have it, and one message for each delivery.
 *
 *     WEBHOOK_SECRET=... node examples/providers/standard-webhooks.js
 */
const express = require("express");
const { createWebhookNode, memoryDeduplication } = require("express-webhook-node");
const { standardWebhooks } = require("express-webhook-node/sources/standard-webhooks");

/** @param {{ secret: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, emitter, logger }) {
  return express().use(
    "/webhooks/standard-webhooks",
    createWebhookNode({
      source: standardWebhooks({ secrets: [secret] }),
      // A delivery that is sent again is answered as the first one was.
      deduplicate: { store: memoryDeduplication() },
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.WEBHOOK_SECRET,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/standard-webhooks"));
}
