/** Signatures verified in Express as the providers' pages and packages have it. */
const { createHmac, timingSafeEqual } = require("node:crypto");
const express = require("express");
const { LIMIT_BYTES, SECRET, STANDARD_SECRET, STRIPE_SECRET } = require("../limits");
const { answerPlainly, appOf } = require("./express");

/** A refusal that the app's error handler answers with 401. */
const unauthorized = () => Object.assign(new Error("The signature does not match."), { status: 401 });

/** `express.json()` with the signature of GitHub compared in its `verify` hook. */
function byHand() {
  const parser = express.json({
    limit: LIMIT_BYTES,
    verify: (request, _response, octets) => {
      const expected = Buffer.from(`sha256=${createHmac("sha256", SECRET).update(octets).digest("hex")}`);
      const told = Buffer.from(String(request.headers["x-hub-signature-256"]));
      if (told.length !== expected.length || !timingSafeEqual(told, expected)) throw unauthorized();
    },
  });
  return appOf(parser, (_request, response) => {
    answerPlainly(response);
  });
}

/** Octokit's own middleware. It reads no content codings. */
async function octokit() {
  const { createNodeMiddleware, Webhooks } = await import("@octokit/webhooks");
  const webhooks = new Webhooks({ secret: SECRET });
  webhooks.onAny(() => {});
  const app = express();
  app.use(createNodeMiddleware(webhooks, { path: "/in", log: { debug() {}, info() {}, warn() {}, error() {} } }));
  return app;
}

/**
 * A raw body, and a provider's package that verifies and parses it.
 *
 * @param {(octets: Buffer, headers: Record<string, string>) => unknown} verify
 */
function raw(verify) {
  return appOf(express.raw({ type: "application/json", limit: LIMIT_BYTES }), (request, response) => {
    try {
      verify(request.body, /** @type {Record<string, string>} */ (request.headers));
    } catch {
      throw unauthorized();
    }
    answerPlainly(response);
  });
}

function stripe() {
  const { webhooks } = require("stripe");
  return raw((octets, headers) => webhooks.constructEvent(octets, headers["stripe-signature"], STRIPE_SECRET));
}

function standardWebhooks() {
  const { Webhook } = require("standardwebhooks");
  const webhook = new Webhook(STANDARD_SECRET);
  return raw((octets, headers) => webhook.verify(octets, headers));
}

module.exports = { byHand, octokit, standardWebhooks, stripe };
