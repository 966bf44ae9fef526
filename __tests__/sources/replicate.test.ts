/**
 * Replicate: its own library as verifier.
 */
import { validateWebhook } from "replicate";
import { replicate } from "express-webhook-node/sources/replicate";
import { signReplicate } from "express-webhook-node/testing/replicate";
import { watchUnhandled } from "../support/unhandled";
import { likeStandardWebhooks, SECRET } from "./like-standard-webhooks";

watchUnhandled();

likeStandardWebhooks({
  name: "replicate",
  source: replicate,
  sign: signReplicate,
  family: "webhook",
  payload: { id: "ufawqhfynnddngldkgtslldrkq", status: "succeeded", output: "Hello Alice", error: null },
  eventType: "succeeded",
  sdk: {
    sdk: "replicate, validateWebhook",
    verifies: async ({ headers, body }) => {
      try {
        return await validateWebhook({
          id: headers["webhook-id"] as string,
          timestamp: headers["webhook-timestamp"] as string,
          signature: headers["webhook-signature"] as string,
          body: body.toString(),
          secret: SECRET,
        });
      } catch {
        return false;
      }
    },
    differs: {
      "in ten minutes": "it checks no time",
      "ten minutes ago": "as above",
      "webhook-signature twice": "two lines are joined, and each element between spaces is tried",
      "webhook-signature twice, first wrong": "as above",
      "webhook-signature twice, last wrong": "as above",
      "webhook-signature with a comma behind it": "what stands behind a second comma is not looked at",
    },
  },
});
