/**
 * Receives the webhooks of Meta and of WhatsApp. Meta asks by GET first, with a token that you have chosen.
 *
 *     META_APP_SECRET=... META_VERIFY_TOKEN=... node examples/providers/meta.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { meta } = require("express-webhook-node/sources/meta");

/** @param {{ appSecret: string | undefined, verifyToken: string, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ appSecret, verifyToken, emitter, logger }) {
  return express().use(
    "/webhooks/meta",
    createWebhookNode({
      source: meta({ secrets: [appSecret], verifyToken }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    appSecret: process.env.META_APP_SECRET ?? "",
    verifyToken: process.env.META_VERIFY_TOKEN ?? "",
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/meta"));
}
