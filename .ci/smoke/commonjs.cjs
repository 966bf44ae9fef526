const assert = require("node:assert/strict");
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { methodGate } = require("express-webhook-node/accept/method-gate");
const { deliver } = require("./deliver.cjs");

const messages = [];
const emitter = async (message) => void messages.push(message);

const app = express();
app.use("/in", methodGate(), createWebhookNode({ anonymous: "accept", emitter }));

void deliver(app).then(() => assert.deepEqual(messages[0].payload, { order: 1 }));
