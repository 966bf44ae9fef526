/**
 * Receives Shopify's webhooks. While a secret is rotated both are valid, for up to an hour.
 *
 *     SHOPIFY_SECRET=... SHOPIFY_OLD_SECRET=... node examples/providers/shopify.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { shopify } = require("express-webhook-node/sources/shopify");

/** @param {{ secret: string | undefined, oldSecret?: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, oldSecret, emitter, logger }) {
  return express().use(
    "/webhooks/shopify",
    createWebhookNode({
      source: shopify({ secrets: oldSecret ? [secret, oldSecret] : [secret] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.SHOPIFY_SECRET,
    oldSecret: process.env.SHOPIFY_OLD_SECRET,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/shopify"));
}
