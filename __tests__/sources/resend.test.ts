/**
 * Resend: its own library as verifier.
 */
import { Resend } from "resend";
import { resend } from "express-webhook-node/sources/resend";
import { signResend } from "express-webhook-node/testing/resend";
import { watchUnhandled } from "../support/unhandled";
import { isAccepted, likeStandardWebhooks, SECRET } from "./like-standard-webhooks";

watchUnhandled();

const { webhooks } = new Resend("re_none");

likeStandardWebhooks({
  name: "resend",
  source: resend,
  sign: signResend,
  family: "svix",
  payload: { type: "email.delivered", created_at: "2026-02-22T23:41:12.126Z", data: { email_id: "56761188" } },
  eventType: "email.delivered",
  sdk: {
    sdk: "resend, webhooks.verify",
    verifies: ({ headers, body }) =>
      isAccepted(() =>
        webhooks.verify({
          payload: body.toString(),
          headers: {
            id: headers["svix-id"] ?? "",
            timestamp: headers["svix-timestamp"] ?? "",
            signature: headers["svix-signature"] ?? "",
          },
          webhookSecret: SECRET,
        }),
      ),
  },
});
