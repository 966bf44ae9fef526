/**
 * Razorpay: its own library as verifier.
 */
import { validateWebhookSignature } from "razorpay/dist/utils/razorpay-utils";
import { razorpay } from "express-webhook-node/sources/razorpay";
import { signRazorpay } from "express-webhook-node/testing/razorpay";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk } from "./against-sdk";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "12345";
const OTHER = "54321";
const FIELD = "x-razorpay-signature";
const ID = "JfZiNw9iQ0Tt3K";
const EVENT = {
  entity: "event",
  event: "payment.captured",
  payload: { payment: { entity: { id: "pay_DESlfW9H8K9uqM", description: "₹ 100" } } },
};

sourceContract({
  name: "razorpay",
  source: razorpay,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: [OTHER] },
  sign: (payload) => signRazorpay(payload, { secret: SECRET, deliveryId: ID }),
  payload: EVENT,
  messages: [{ deliveryId: ID, eventType: EVENT.event }],
  provenance: { deliveryId: "unsigned", eventType: "signed" },
  proof: [FIELD],
});

againstSdk({
  sdk: "razorpay, validateWebhookSignature",
  source: razorpay({ secrets: [SECRET] }),
  sign: ({ isOther } = {}) => signRazorpay(EVENT, { secret: isOther ? OTHER : SECRET }),
  verifies({ headers, body }) {
    try {
      return validateWebhookSignature(body.toString(), headers[FIELD] as string, SECRET);
    } catch {
      return false;
    }
  },
  proof: [FIELD],
});

describe("razorpay", () => {
  it("answers before Razorpay's five seconds are over [T17]", () => {
    expect(razorpay({ secrets: [SECRET] }).accepts?.deadlineMs).toBeLessThan(5000);
  });
});
