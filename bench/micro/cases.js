/** The small things that every request needs, each beside what another would use for it. */
const { createHmac, timingSafeEqual } = require("node:crypto");
const { join } = require("node:path");
const { SECRET } = require("../limits");
const { PAYLOADS } = require("../payloads");
const { signGithub } = require("../signing");

/** @typedef {{ group: string, name: string, run: () => unknown }} Case What `run` returns is awaited if it is a promise. */

/**
 * A module that users cannot load by name.
 *
 * @param {string} path below dist
 */
function internal(path) {
  return require(join(__dirname, "..", "..", "dist", path));
}

const { parseContentType } = internal("request/content-type");
const { codingsOf } = internal("request/content-coding");
const { isDeeperThan } = internal("request/depth");
const { refusalOf } = internal("request/refusal");
const { WebhookError } = require("express-webhook-node");
const { github } = require("express-webhook-node/sources/github");

/** The scan that the package's own is held against: each octet in turn. */
function isDeeperByLoop(octets, maxDepth) {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at];
    if (isString) {
      if (octet === 0x5c) at++;
      else if (octet === 0x22) isString = false;
    } else if (octet === 0x22) isString = true;
    else if (octet === 0x7b || octet === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (octet === 0x7d || octet === 0x5d) depth--;
  }
  return false;
}

/** @returns {Case[]} */
function depthCases() {
  return ["1 KB", "8 KB", "25 KB", "900 KB"].flatMap((size) => {
    const octets = PAYLOADS[size];
    const text = octets.toString();
    return [
      { group: `depth, ${size}`, name: "isDeeperThan", run: () => isDeeperThan(text, 128) },
      { group: `depth, ${size}`, name: "loop", run: () => isDeeperByLoop(octets, 128) },
      { group: `depth, ${size}`, name: "the parse itself", run: () => JSON.parse(text) },
    ];
  });
}

/** @returns {Case[]} */
function signatureCases() {
  const { authenticator } = github({ secrets: [SECRET] });
  return ["8 KB", "900 KB"].flatMap((size) => {
    const octets = PAYLOADS[size];
    const headers = { "x-hub-signature-256": signGithub(octets)["X-Hub-Signature-256"] };
    const rawHeaders = Object.entries(headers).flat();
    const body = { bytes: async () => octets, each: async (listener) => void listener(octets) };
    const told = Buffer.from(headers["x-hub-signature-256"].slice(7), "hex");
    const facts = /** @type {any} */ ({ request: { headers, rawHeaders }, body });
    return [
      {
        group: `signature, ${size}`,
        name: "createHmac, timingSafeEqual",
        run: () => timingSafeEqual(createHmac("sha256", SECRET).update(octets).digest(), told),
      },
      { group: `signature, ${size}`, name: "github().authenticator", run: () => authenticator(facts) },
    ];
  });
}

/** @returns {Case[]} */
function cases() {
  const plain = { headers: { "content-encoding": "gzip" }, rawHeaders: ["Content-Encoding", "gzip"] };
  const none = { headers: {}, rawHeaders: [] };
  const list = { headers: { "content-encoding": "gzip, br" }, rawHeaders: ["Content-Encoding", "gzip, br"] };
  const accepted = ["br", "deflate", "gzip"];
  const error = new WebhookError("ERR_WEBHOOK_METHOD", "This resource takes POST alone.", {
    headers: { Allow: "POST" },
  });
  return [
    { group: "media type", name: "application/json", run: () => parseContentType("application/json") },
    { group: "media type", name: "with charset", run: () => parseContentType("application/json; charset=utf-8") },
    { group: "media type", name: "malformed", run: () => parseContentType("application/json; charset=") },
    { group: "coding", name: "absent", run: () => codingsOf(none, accepted) },
    { group: "coding", name: "gzip", run: () => codingsOf(plain, accepted) },
    { group: "coding", name: "gzip, br", run: () => codingsOf(list, accepted) },
    ...depthCases(),
    ...signatureCases(),
    { group: "problem document", name: "of a WebhookError", run: () => refusalOf(error) },
    {
      group: "problem document",
      name: "made and told",
      run: () => refusalOf(new WebhookError("ERR_WEBHOOK_JSON", "The body is not JSON (RFC 8259).")),
    },
  ];
}

module.exports = { cases };
