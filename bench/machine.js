/** What the figures were made on: they say nothing without it. */
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const os = require("node:os");
const { join } = require("node:path");

const PEERS = ["express", "fastify", "@fastify/compress", "@octokit/webhooks", "stripe", "standardwebhooks"];

/** @param {string} name */
function versionOf(name) {
  const path = join(__dirname, "..", "node_modules", name, "package.json");
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(path, "utf8"))).version;
}

/**
 * @param {string} command
 * @param {readonly string[]} words
 */
function told(command, words) {
  try {
    return execFileSync(command, words, {
      cwd: __dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

/**
 * @typedef {object} Machine
 * @property {string} date
 * @property {string} commit with "+" behind it if files differ from it
 * @property {string} node of the servers
 * @property {string} system
 * @property {string} processor
 * @property {number} memoryMiB
 * @property {number} loadAverage of the last minute: what else the machine was doing
 * @property {Record<string, string>} versions
 */

/**
 * @param {string} node the Node of the servers
 * @returns {Machine}
 */
function machine(node) {
  const changes = told("git", ["status", "--porcelain", "--", "../lib", "."]);
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    commit: told("git", ["rev-parse", "--short=12", "HEAD"]) + (changes === "" || changes === "unknown" ? "" : "+"),
    node: told(node, ["--version"]),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    processor: `${cpus.length} x ${cpus[0]?.model.trim() ?? "unknown"}`,
    memoryMiB: Math.round(os.totalmem() / 1_048_576),
    loadAverage: os.loadavg()[0],
    versions: Object.fromEntries(PEERS.map((name) => [name, versionOf(name)])),
  };
}

module.exports = { machine };
