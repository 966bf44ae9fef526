/**
 * Polar: its own library as verifier of secrets whose key is their own text, and that of Standard Webhooks for the later ones.
 */
import { validateEvent, WebhookVerificationError } from "@polar-sh/sdk/webhooks";
import { Webhook } from "standardwebhooks";
import { polar } from "express-webhook-node/sources/polar";
import { signPolar } from "express-webhook-node/testing/polar";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { againstSdk, standardDifferences } from "./against-sdk";
import { isAccepted, likeStandardWebhooks, OTHER, SECRET, signedByLibrary } from "./like-standard-webhooks";

watchUnhandled();

const OLD_SECRET = "polar_whs_PC8ViaeyUNK7tJMWr8IImhf1UhjcnqnS";
const PAYLOAD = { type: "order.paid", timestamp: "2026-02-22T23:41:12.126Z", data: { id: "56761188" } };
const proof = ["webhook-id", "webhook-timestamp", "webhook-signature"];

likeStandardWebhooks({
  name: "polar",
  source: polar,
  sign: signPolar,
  family: "webhook",
  payload: PAYLOAD,
  eventType: "order.paid",
  wrongOptions: [["public keys", { publicKeys: ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="] }]],
  sdk: {
    sdk: "standardwebhooks",
    verifies: ({ headers, body }) => isAccepted(() => new Webhook(SECRET).verify(body.toString(), headers)),
  },
});

againstSdk({
  sdk: "@polar-sh/sdk, validateEvent",
  source: polar({ secrets: [OLD_SECRET] }),
  sign: ({ isOther, now } = {}) => signPolar(PAYLOAD, { secret: isOther ? `${OLD_SECRET}.` : OLD_SECRET, now }),
  sdkSigns: () =>
    signedByLibrary(Buffer.from(OLD_SECRET).toString("base64"), Buffer.from(JSON.stringify(PAYLOAD)), "webhook"),
  verifies({ headers, body }) {
    try {
      validateEvent(body, headers, OLD_SECRET);
      return true;
    } catch (error) {
      // It parses the event once the signature is right, and wants all of its members.
      return !(error instanceof WebhookVerificationError);
    }
  },
  proof,
  isTimed: true,
  differs: standardDifferences("webhook"),
});

describe("polar", () => {
  it.each([
    [SECRET, true],
    [SECRET, false],
    [OLD_SECRET, true],
    ["whsec_not of base64", true],
  ])("accepts what is signed with %s, whether its key is its own text (%p) [B7]", async (secret, isOldSecret) => {
    const right = await serveNode({ source: polar({ secrets: [OTHER, secret] }) });
    const found = await serveNode({ source: polar({ secrets: async () => [secret] }) });
    const wrong = await serveNode({ source: polar({ secrets: [OTHER] }) });
    const { headers, body } = signPolar(PAYLOAD, { secret, isOldSecret });

    expect((await send(right.port, { headers, body })).status).toBe(200);
    expect((await send(found.port, { headers, body })).status).toBe(200);
    expect((await send(wrong.port, { headers, body })).status).toBe(401);
  });
});
