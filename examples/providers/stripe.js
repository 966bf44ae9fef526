/**
 * Receives Stripe's events, of two types.
 *
 *     STRIPE_SECRET=... node examples/providers/stripe.js
 */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { stripe } = require("express-webhook-node/sources/stripe");

/** @param {{ secret: string | undefined, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, emitter, logger }) {
  return express().use(
    "/webhooks/stripe",
    createWebhookNode({
      // All other types are answered with 200, and not emitted.
      source: stripe({ secrets: [secret], only: ["checkout.session.completed", "invoice.paid"] }),
      emitter,
      logger,
    }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.STRIPE_SECRET,
    // Here the message would go to a queue. The sender has its answer once this promise resolves.
    emitter: async ({ trackingId, eventType, payload }) => console.log(trackingId, eventType, payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/stripe"));
}
