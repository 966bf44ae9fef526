/**
 * The embedded spool, with NATS JetStream behind it. The node acknowledges what is on its own disk, so it does so while the
 * broker is away, and hands it on once the broker is back.
 */
const { setTimeout: pause } = require("node:timers/promises");
const { spool } = require("express-webhook-node/emit/spool");
const nats = require("./nats");

/** @type {import(".").BrokerModule["connect"]} */
async function connect(settings, logger) {
  const behind = await nats.connect(settings, logger);
  const emitter = spool({
    folder: settings.folder,
    emitter: behind.emitter,
    concurrency: 64,
    minDelayMs: 100,
    maxDelayMs: 1_000,
    maxAttempts: 1_000,
    logger,
  });
  return {
    emitter,
    async settled() {
      while (emitter.stats().pending > 0) await pause(50);
    },
    async close() {
      await emitter.close();
      await behind.close();
    },
  };
}

module.exports = { ...nats, title: "spool, before NATS JetStream", keeper: "node", connect };
