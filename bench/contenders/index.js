/**
 * The servers that are measured, by the names that the tables give them. Each is made in a process of its own, so each
 * loads only what it needs.
 */

/** @typedef {import("node:http").RequestListener} Listener */

/** @type {Record<string, () => Listener | Promise<Listener>>} */
const CONTENDERS = {
  ours: () => require("./ours").anonymous(),
  "express.json": () => require("./express").parsed(),
  "express.json, res.json": () => require("./express").parsedAndJson(),
  "express floor": () => require("./express").floor(),
  "express skeleton": () => require("./skeleton").skeleton(),
  fastify: () => require("./fastify").parsed(),
  "node:http": () => require("./node-http").bare(),
  "ours, github": () => require("./ours").withGithub(),
  "ours, silent": () => require("./ours").silent(),
  "ours, github, silent": () => require("./ours").silentWithGithub(),
  "express.json, verify": () => require("./signed").byHand(),
  octokit: () => require("./signed").octokit(),
  "ours, stripe": () => require("./ours").withStripe(),
  stripe: () => require("./signed").stripe(),
  "ours, standardwebhooks": () => require("./ours").withStandardWebhooks(),
  standardwebhooks: () => require("./signed").standardWebhooks(),
};

module.exports = { CONTENDERS };
