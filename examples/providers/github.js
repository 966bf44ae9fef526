/**
 * Receives GitHub's webhooks. GitHub never sends again by itself, so let the emitter be one that keeps what comes.
 *
 *     GITHUB_SECRET=... node examples/providers/github.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { github } = require("express-webhook-node/sources/github");

/** @param {{ secret: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, emitter, logger }) {
  return express().use(
    "/webhooks/github",
    createWebhookNode({
      // A ping is answered by the source, and never emitted.
      source: github({ secrets: [secret] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.GITHUB_SECRET,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/github"));
}
