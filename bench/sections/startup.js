/** What `require` of each subpath takes, in a process of its own, beyond Express itself. */
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { spreadOf } = require("../statistics");
const { shown, shownSpread } = require("../table");

/** @typedef {{ ms: number, heapBytes: number, rssBytes: number, modules: number, hasAjv: boolean }} Loaded */

const SCRIPT = join(__dirname, "..", "load-module.js");
const FEW = [".", "./problem", "./accept/decompress", "./authenticate/hmac", "./emit", "./sources/github", "./testing"];

/** @returns {string[]} */
function subpaths() {
  const path = join(__dirname, "..", "..", "package.json");
  const { exports } = /** @type {{ exports: object }} */ (JSON.parse(readFileSync(path, "utf8")));
  return Object.keys(exports).filter((subpath) => subpath !== "./package.json");
}

/**
 * @param {string} node
 * @param {string} specifier
 * @returns {Loaded}
 */
function load(node, specifier) {
  return /** @type {Loaded} */ (
    JSON.parse(execFileSync(node, ["--expose-gc", SCRIPT, specifier], { cwd: __dirname, encoding: "utf8" }))
  );
}

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run({ node, quick }) {
  const names = (quick ? subpaths().filter((subpath) => FEW.includes(subpath)) : subpaths()).map((subpath) =>
    subpath.replace(/^\./, "express-webhook-node"),
  );
  /** @type {Map<string, Loaded[]>} */
  const loads = new Map(["express", ...names].map((name) => [name, []]));
  for (let round = 0; round < 3; round++) {
    for (const [name, list] of loads) list.push(load(node, name));
  }
  const data = [...loads].map(([name, list]) => ({
    name,
    ms: spreadOf(list.map(({ ms }) => ms)),
    heapBytes: spreadOf(list.map(({ heapBytes }) => heapBytes)),
    rssBytes: spreadOf(list.map(({ rssBytes }) => rssBytes)),
    modules: list[0].modules,
    hasAjv: list[0].hasAjv,
  }));
  return {
    tables: [
      {
        caption: "require, beyond Express itself",
        head: ["subpath", "ms", "live heap, KiB", "resident, KiB", "modules", "ajv"],
        rows: data.map(({ name, ms, heapBytes, rssBytes, modules, hasAjv }) => [
          name,
          shownSpread(ms),
          shown(heapBytes.median / 1024),
          shown(rssBytes.median / 1024),
          String(modules),
          hasAjv ? "yes" : "no",
        ]),
      },
    ],
    data,
  };
}

module.exports = { run };
