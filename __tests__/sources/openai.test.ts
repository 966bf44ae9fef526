/**
 * OpenAI: its own library as verifier.
 */
import { OpenAI } from "openai";
import { openai } from "express-webhook-node/sources/openai";
import { signOpenai } from "express-webhook-node/testing/openai";
import { watchUnhandled } from "../support/unhandled";
import { isAccepted, likeStandardWebhooks, SECRET } from "./like-standard-webhooks";

watchUnhandled();

const { webhooks } = new OpenAI({ apiKey: "none", webhookSecret: SECRET });

likeStandardWebhooks({
  name: "openai",
  source: openai,
  sign: signOpenai,
  family: "webhook",
  payload: { id: "evt_685343a1381c819085d44c354e1b330e", type: "response.completed", data: { id: "resp_abc123" } },
  eventType: "response.completed",
  sdk: {
    sdk: "openai, webhooks.unwrap",
    verifies: ({ headers, body }) => isAccepted(() => webhooks.unwrap(body.toString(), headers)),
    differs: {
      "webhook-signature twice": "two lines are joined, and each element between spaces is tried",
      "webhook-signature twice, first wrong": "as above",
      "webhook-signature twice, last wrong": "as above",
      "webhook-signature with a comma behind it": "base64 is decoded leniently, up to its padding",
      "webhook-signature with a digit behind it": "as above",
      "webhook-signature with letters behind it": "as above",
    },
  },
});
