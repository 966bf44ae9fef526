import express from "express";
import { createWebhookNode, type Message, type WebhookNodeOptions } from "express-webhook-node";
import { methodGate } from "express-webhook-node/accept/method-gate";

const messages: Message[] = [];
const options: WebhookNodeOptions = {
  anonymous: "accept",
  emitter: async (message) => {
    messages.push(message);
  },
};

export const app = express();
app.use("/in", methodGate(), createWebhookNode(options));
