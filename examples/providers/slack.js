/**
 * Receives Slack's events. The challenge that Slack sends first is answered by the source, once its signature is verified.
 *
 *     SLACK_SIGNING_SECRET=... node examples/providers/slack.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { slack } = require("express-webhook-node/sources/slack");

/** @param {{ secret: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, emitter, logger }) {
  return express().use(
    "/webhooks/slack",
    createWebhookNode({
      source: slack({ secrets: [secret] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.SLACK_SIGNING_SECRET,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/slack"));
}
