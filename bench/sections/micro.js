/** What costs too little to show under load: measured in a loop, in one process, without sockets. */
const { execFileSync } = require("node:child_process");
const { join } = require("node:path");
const { shown, shownSpread } = require("../table");

/** @typedef {{ group: string, name: string, microseconds: import("../statistics").Spread }} Micro */

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run({ node, rounds, quick }) {
  const script = join(__dirname, "..", "micro", "run.js");
  const words = [script, String(quick ? 5 : Math.max(rounds, 9)), String(quick ? 10 : 40)];
  const env = { ...process.env, NODE_ENV: "production" };
  const data = /** @type {Micro[]} */ (JSON.parse(execFileSync(node, words, { encoding: "utf8", env })));
  return {
    tables: [
      {
        caption: "In a loop, us; as a multiple of the first of its kind",
        head: ["what", "us", "of the first"],
        rows: data.map(({ group, name, microseconds }) => {
          const first = /** @type {Micro} */ (data.find((one) => one.group === group));
          return [
            `${group}: ${name}`,
            shownSpread(microseconds),
            shown(microseconds.median / first.microseconds.median),
          ];
        }),
      },
    ],
    data,
  };
}

module.exports = { run };
