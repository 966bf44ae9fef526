/**
 * The process under test: an Express app with a node, and a broker's client. It is killed and started again; all that it
 * knows comes by `process.argv[2]`, so it can be started by hand, too.
 */
const http = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { memoryDeduplication } = require("express-webhook-node/emit/deduplicate/memory");
const { brokerOf } = require("./brokers");
const { source } = require("./source");

/**
 * @typedef {object} NodeSettings
 * @property {string} broker
 * @property {number} port of this process
 * @property {number} brokerPort
 * @property {string} destination the stream, queue, table or topic
 * @property {string} folder for what the process itself keeps
 * @property {boolean} isControl whether it acknowledges before the broker has confirmed
 * @property {boolean} isDeduplicating whether the node remembers what it has emitted, as it may where the broker does not
 * @property {boolean} isVerbose whether it tells of each refusal
 */

/** How long an app that keeps messages in memory may keep them, to send many together. */
const CONTROL_DELAY_MS = 20;

/**
 * What must lose messages: they are acknowledged while they are in memory alone.
 *
 * @param {import("express-webhook-node").Emitter} emitter
 * @returns {import("express-webhook-node").Emitter}
 */
function hasty(emitter) {
  return async (message) => {
    void pause(CONTROL_DELAY_MS)
      // The context of a request that was answered is over.
      .then(() => emitter(message, { signal: new AbortController().signal }))
      .catch(() => {});
  };
}

/** For the thousands of refusals that faults bring about. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function main() {
  /** @type {NodeSettings} */
  const settings = JSON.parse(process.argv[2]);
  const logger = settings.isVerbose ? { ...silent, warn: console.warn, error: console.error } : silent;
  const { emitter, settled, close } = await brokerOf(settings.broker).connect(settings, logger);
  const node = createWebhookNode({
    name: "chaos",
    source,
    emitter: settings.isControl ? hasty(emitter) : emitter,
    ...(settings.isDeduplicating && { deduplicate: { store: memoryDeduplication() } }),
    logger,
  });
  const server = http.createServer(express().use("/hook", node));
  server.listen({ port: settings.port, host: "127.0.0.1", backlog: 1024 }, () => process.send?.("listening"));

  const end = async () => {
    await node.drain();
    server.close();
    server.closeAllConnections();
    await close();
    process.exit();
  };
  process.once("SIGTERM", () => void end());
  process.on("message", () => void Promise.resolve(settled?.()).then(() => process.send?.("settled")));
  process.on("disconnect", () => process.exit());
}

void main();
