import assert from "node:assert/strict";
import { createRequire } from "node:module";
import express from "express";
import { createWebhookNode, WebhookError } from "express-webhook-node";
import { methodGate } from "express-webhook-node/accept/method-gate";
import { deliver } from "./deliver.cjs";

const messages = [];
const emitter = async (message) => void messages.push(message);

const app = express();
app.use("/in", methodGate(), createWebhookNode({ anonymous: "accept", emitter }));

await deliver(app);
assert.deepEqual(messages[0].payload, { order: 1 });

// One build: whoever imports and whoever requires hold the same class.
assert.equal(createRequire(import.meta.url)("express-webhook-node").WebhookError, WebhookError);
