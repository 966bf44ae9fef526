/**
 * Adds a webhook node to an app that has been there for years, with a body parser above everything else.
 *
 *     WEBHOOK_SECRET=... node examples/existing-app.js
 */
const express = require("express");
const { createWebhookNode, fromEventEmitter, hmacAuthenticator, keepRawBody } = require("express-webhook-node");
const { EventEmitter } = require("node:events");

/** @param {{ secret: string | undefined, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, logger }) {
  const app = express();
  const orders = new EventEmitter();
  const node = () =>
    createWebhookNode({
      authenticator: hmacAuthenticator({ name: "shop", header: "X-Shop-Signature", secrets: [secret] }),
      // Each listener is awaited; where one fails, or nobody listens, the shop gets a 503 and sends again.
      emitter: fromEventEmitter(orders, "order"),
      logger,
    });

  // Best: the node stands above the parser, and reads the body itself.
  app.use("/webhooks/orders", node());

  // Where the parser cannot move, let it keep the octets: a signature covers those, and not the parsed value.
  app.use(express.json({ verify: keepRawBody }));
  app.use("/legacy/webhooks/orders", node());

  app.post("/echo", (req, res) => res.json(req.body));

  app.locals.orders = orders;
  return app;
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({ secret: process.env.WEBHOOK_SECRET });
  app.locals.orders.on("order", async (message) => console.log(message.trackingId, message.payload));
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/orders"));
}
