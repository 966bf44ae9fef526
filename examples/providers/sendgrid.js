/**
 * Receives SendGrid's events: an array of them, each of which becomes a message.
 *
 *     SENDGRID_PUBLIC_KEY=... node examples/providers/sendgrid.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { sendgrid } = require("express-webhook-node/sources/sendgrid");

/** @param {{ publicKey: string, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ publicKey, emitter, logger }) {
  return express().use(
    "/webhooks/sendgrid",
    createWebhookNode({
      source: sendgrid({ publicKeys: [publicKey] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    publicKey: process.env.SENDGRID_PUBLIC_KEY ?? "",
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/sendgrid"));
}
