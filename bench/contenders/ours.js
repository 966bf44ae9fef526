/** This package in Express: loaded as built, under its own name. */
const express = require("express");
const { createWebhookNode } = require("express-webhook-node");
const { github } = require("express-webhook-node/sources/github");
const { standardWebhooks } = require("express-webhook-node/sources/standard-webhooks");
const { stripe } = require("express-webhook-node/sources/stripe");
const { LIMIT_BYTES, SECRET, STANDARD_SECRET, STRIPE_SECRET } = require("../limits");

const emitter = async () => {};

/** @param {object} options */
function appOf(options) {
  const app = express();
  app.use("/in", createWebhookNode({ emitter, maxBytes: LIMIT_BYTES, ...options }));
  return app;
}

const anonymous = () => appOf({ anonymous: "accept" });
const withGithub = () => appOf({ source: github({ secrets: [SECRET] }) });

/** Where much is refused: the others write no log of that either. */
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const silent = () => appOf({ logger, anonymous: "accept" });
const silentWithGithub = () => appOf({ logger, source: github({ secrets: [SECRET] }) });

const withStripe = () => appOf({ source: stripe({ secrets: [STRIPE_SECRET] }) });
const withStandardWebhooks = () => appOf({ source: standardWebhooks({ secrets: [STANDARD_SECRET] }) });

module.exports = { anonymous, silent, silentWithGithub, withGithub, withStandardWebhooks, withStripe };
