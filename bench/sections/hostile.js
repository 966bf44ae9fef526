/** Seventy good deliveries among thirty that are refused, bombs among them: what refusing costs. */
const { comparison } = require("../comparison");
const { hostileMix } = require("../hostile-mix");
const { measure } = require("../rounds");
const { wantedContenders } = require("../settings");

const CONTENDERS = ["ours, github, silent", "express.json, verify"];

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  // What each refuses a request with, or whether it cuts the connection, is its own affair.
  const mix = { name: "hostile mix", requests: hostileMix, isExpected: () => true };
  const { measured } = await measure(wantedContenders(CONTENDERS, settings), [mix], settings);
  return {
    tables: [
      ...comparison("Hostile mix", measured),
      {
        caption: "Answers by status; 0 is a connection cut without one",
        head: ["contender", "answers"],
        rows: measured.map(({ contender, statuses }) => [
          contender,
          Object.entries(statuses)
            .map(([status, count]) => `${status}: ${count}`)
            .join(", "),
        ]),
      },
    ],
    data: { measured },
  };
}

module.exports = { run };
