/**
 * Receives GitLab's webhooks.
 *
 *     GITLAB_SIGNING_TOKEN=... node examples/providers/gitlab.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { gitlab } = require("express-webhook-node/sources/gitlab");

/** @param {{ secret: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, emitter, logger }) {
  return express().use(
    "/webhooks/gitlab",
    createWebhookNode({
      source: gitlab({ secrets: [secret] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.GITLAB_SIGNING_TOKEN,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/gitlab"));
}
