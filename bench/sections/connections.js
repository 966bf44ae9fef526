/** The same body over few and many connections, and over a new one for each request. */
const { comparison } = require("../comparison");
const { input } = require("../inputs");
const { measure } = require("../rounds");
const { wantedContenders } = require("../settings");

const CONTENDERS = ["ours", "express.json", "fastify", "node:http"];

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  const kept = input("8 KB", "identity");
  const ended = input("8 KB", "identity", { fields: { Connection: "close" } });
  const inputs = [
    ...[1, 50, 500].map((connections) => ({ ...kept, name: `${connections}, kept alive`, connections })),
    { ...ended, name: "50, one request each", connections: 50 },
  ];
  const { measured } = await measure(wantedContenders(CONTENDERS, settings), inputs, settings);
  return { tables: comparison("8 KB by connections", measured), data: { measured } };
}

module.exports = { run };
