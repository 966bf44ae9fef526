/** Signs as providers do: the fields of one delivery, from the octets that they cover. */
const { createHmac, randomUUID } = require("node:crypto");
const { SECRET, STRIPE_SECRET } = require("./limits");

/** @typedef {(octets: Buffer) => Record<string, string>} Sign */

const seconds = () => Math.floor(Date.now() / 1000);

/** @type {Sign} https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
function signGithub(octets) {
  return { "X-Hub-Signature-256": `sha256=${createHmac("sha256", SECRET).update(octets).digest("hex")}` };
}

/** @type {Sign} https://docs.stripe.com/webhooks#verify-manually */
function signStripe(octets) {
  const time = seconds();
  const proof = createHmac("sha256", STRIPE_SECRET).update(`${time}.`).update(octets).digest("hex");
  return { "Stripe-Signature": `t=${time},v1=${proof}` };
}

/** @type {Sign} https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function signStandard(octets) {
  const id = `msg_${randomUUID()}`;
  const time = seconds();
  const proof = createHmac("sha256", SECRET).update(`${id}.${time}.`).update(octets).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(time), "webhook-signature": `v1,${proof}` };
}

module.exports = { signGithub, signStandard, signStripe };
