/**
 * GitHub: its published vector, its own library as signer and verifier, and its own payloads.
 */
import { github } from "express-webhook-node/sources/github";
import { signGithub } from "express-webhook-node/testing/github";
import { watchUnhandled } from "../support/unhandled";
import { sourceContract } from "./contract";

watchUnhandled();

const SECRET = "It's a Secret to Everybody";
const DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

sourceContract({
  name: "github",
  source: github,
  options: { secrets: [SECRET] },
  otherKeys: { secrets: ["another secret"] },
  sign: (payload) => signGithub(payload, { secret: SECRET, event: "issues", deliveryId: DELIVERY }),
  payload: { action: "opened", issue: { number: 1347 } },
  messages: [{ deliveryId: DELIVERY, eventType: "issues" }],
  provenance: { deliveryId: "unsigned", eventType: "unsigned" },
  proof: ["x-hub-signature-256"],
});
