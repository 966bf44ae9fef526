import express from "express";
import {
  allOf,
  createWebhookNode,
  defineMessageType,
  type Message,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { methodGate } from "express-webhook-node/accept/method-gate";
import { github } from "express-webhook-node/sources/github";

const messages: Message[] = [];
const options: WebhookNodeOptions = {
  anonymous: "accept",
  emitter: async (message) => {
    messages.push(message);
  },
};

export const app = express();
app.use("/in", methodGate(), createWebhookNode(options));

const order = defineMessageType({
  name: "shop.order",
  schema: { type: "object", required: ["id"], properties: { id: { type: "integer" } } },
});
const secrets = ["It's a secret to everybody"];
app.use(
  "/typed",
  createWebhookNode({
    source: github({ secrets }),
    messageType: order,
    emitter: async ({ payload }) => payload.id.toFixed(),
  }),
  createWebhookNode({
    source: allOf(github<{ readonly ref: string }>({ secrets }), async () => null),
    emitter: async ({ payload }) => payload.ref.length,
  }),
);
