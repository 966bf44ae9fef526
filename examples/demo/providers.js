/**
 * Delivers as Stripe, Slack, Standard Webhooks and SendGrid do to the examples in `examples/providers`: what is right, and
 * the same with one digit of its body changed.
 */
const { generateKeyPairSync } = require("node:crypto");
const { send, sign } = require("express-webhook-node/testing");
const { Webhook } = require("standardwebhooks");
const Stripe = require("stripe");

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const publicKey = keys.publicKey.export({ type: "spki", format: "der" }).toString("base64");

/**
 * @typedef {object} Attempt
 * @property {string} provider
 * @property {string} what
 * @property {object} options What the example is made with.
 * @property {{ headers: Readonly<Record<string, string>>, body: Buffer }} delivery
 * @property {number} messages How many are to come of it.
 * @property {string} [answer] What the provider is to read, where it is not the tracking id.
 */

/** @returns {Attempt[]} */
function attempts() {
  const now = Math.floor(Date.now() / 1000);
  const event = JSON.stringify({ id: "evt_1", object: "event", type: "invoice.paid", data: { object: {} } });
  const header = new Stripe("sk_test_1").webhooks.generateTestHeaderString({ payload: event, secret: SECRET });
  const standard = '{"type": "user.created", "data": {}}';
  const challenge = { type: "url_verification", challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" };
  const json = { "content-type": "application/json" };
  return [
    {
      provider: "stripe",
      what: "invoice.paid",
      options: { secret: SECRET },
      delivery: { headers: { ...json, "stripe-signature": header }, body: Buffer.from(event) },
      messages: 1,
    },
    {
      provider: "slack",
      what: "url_verification",
      options: { secret: SECRET },
      delivery: sign.slack(challenge, { secret: SECRET }),
      messages: 0,
      answer: challenge.challenge,
    },
    {
      provider: "slack",
      what: "event_callback",
      options: { secret: SECRET },
      delivery: sign.slack({ type: "event_callback", event_id: "Ev1", event: { type: "message" } }, { secret: SECRET }),
      messages: 1,
    },
    {
      provider: "standard-webhooks",
      what: "user.created",
      options: { secret: SECRET },
      delivery: {
        headers: {
          ...json,
          "webhook-id": "msg_1",
          "webhook-timestamp": String(now),
          "webhook-signature": new Webhook(SECRET).sign("msg_1", new Date(now * 1000), standard),
        },
        body: Buffer.from(standard),
      },
      messages: 1,
    },
    {
      provider: "sendgrid",
      what: "three events",
      options: { publicKey },
      delivery: sign.sendgrid(
        ["processed", "delivered", "open"].map((type, n) => ({ event: type, sg_event_id: `id-${n}`, timestamp: now })),
        { privateKey: keys.privateKey },
      ),
      messages: 3,
    },
  ];
}

/**
 * @param {(what: string, coding: string, wire: number, expected: unknown, status: number, told: unknown) => void} row
 * @returns {Promise<{ delivered: number, refused: number, surprises: string[] }>}
 */
async function deliverAsProviders(row) {
  const surprises = [];
  let delivered = 0;
  let refused = 0;
  for (const { provider, what, options, delivery, messages, answer } of attempts()) {
    const { createApp } = require(`../providers/${provider}`);
    const received = [];
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const app = createApp({ ...options, emitter: async (message) => void received.push(message), logger });
    const path = `/webhooks/${provider}`;

    const { status, json, text } = await send(app, delivery, { path });
    const told = answer === undefined ? json?.trackingId : text;
    row(`${provider}: ${what}`, "identity", delivery.body.length, delivery.body.length, status, told);
    const forged = Buffer.from(delivery.body);
    forged[forged.length >> 1] ^= 1;
    const refusal = await send(app, { ...delivery, body: forged }, { path });
    row(`${provider}: forged`, "identity", forged.length, 401, refusal.status, refusal.json?.detail);

    if (status === 200 && received.length === messages && (answer ?? text) === text) delivered++;
    else surprises.push(`${provider}, ${what}: ${status}, ${received.length} messages, ${text}`);
    if (refusal.status === 401) refused++;
    else surprises.push(`${provider}, forged: ${refusal.status}`);
  }
  return { delivered, refused, surprises };
}

module.exports = { deliverAsProviders };
