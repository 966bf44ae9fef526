/**
 * Receives Twilio's webhooks as JSON. Twilio signs the URL, so the node has to be told it as Twilio knows it.
 *
 *     TWILIO_AUTH_TOKEN=... TWILIO_URL=... node examples/providers/twilio.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { twilio } = require("express-webhook-node/sources/twilio");

/** @param {{ authToken: string | undefined, url: string, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ authToken, url, emitter, logger }) {
  return express().use(
    "/webhooks/twilio",
    createWebhookNode({
      source: twilio({ secrets: [authToken], url }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    authToken: process.env.TWILIO_AUTH_TOKEN,
    url: process.env.TWILIO_URL ?? "",
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/twilio"));
}
