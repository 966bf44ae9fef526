/**
 * Stops calling a receiver that fails again and again, and keeps its messages elsewhere until it is back.
 *
 *     node examples/circuit-breaker.js
 */
const { circuitBreaker, ConsecutiveBreaker, handleWhen } = require("cockatiel");
const express = require("express");
const { createWebhookNode, fallback, PermanentError } = require("express-webhook-node");

/**
 * An emitter behind a circuit breaker: after five failures in a row it fails at once, and after ten seconds one message is
 * let through to see.
 *
 * @param {import("express-webhook-node").Emitter} emitter
 * @returns {import("express-webhook-node").Emitter}
 */
function breaking(emitter) {
  // A message that will never be taken says nothing of how the receiver is.
  const isOutage = handleWhen((error) => !(error instanceof PermanentError));
  const policy = circuitBreaker(isOutage, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) });
  return (message, context) => policy.execute(() => emitter(message, context));
}

/** @param {{ emitter: import("express-webhook-node").Emitter, spare: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ emitter, spare, logger }) {
  return express().use(
    "/webhooks",
    createWebhookNode({ anonymous: "accept", emitter: fallback(breaking(emitter), spare, { logger }), logger }),
  );
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    emitter: async () => {
      throw new Error("The receiver is down.");
    },
    // Here it would be spool({ folder, emitter }).
    spare: async ({ trackingId }) => console.log("kept", trackingId),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks"));
}
