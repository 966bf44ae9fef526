/**
 * Clerk: its own library as verifier.
 */
import { verifyWebhook } from "@clerk/backend/webhooks";
import { clerk } from "express-webhook-node/sources/clerk";
import { signClerk } from "express-webhook-node/testing/clerk";
import { watchUnhandled } from "../support/unhandled";
import { standardDifferences } from "./against-sdk";
import { isAccepted, likeStandardWebhooks, SECRET } from "./like-standard-webhooks";

watchUnhandled();

likeStandardWebhooks({
  name: "clerk",
  source: clerk,
  sign: signClerk,
  family: "svix",
  payload: { type: "user.created", object: "event", data: { id: "user_29w83sxmDNGwOuEthce5gg56FcC" } },
  eventType: "user.created",
  sdk: {
    sdk: "@clerk/backend, verifyWebhook",
    verifies: ({ headers, body }) =>
      isAccepted(() =>
        verifyWebhook(new Request("https://example.com", { method: "POST", headers, body: new Uint8Array(body) }), {
          signingSecret: SECRET,
        }),
      ),
    differs: {
      ...standardDifferences("svix"),
      "a byte order mark before the body": "Request.text() drops the mark",
    },
  },
});
