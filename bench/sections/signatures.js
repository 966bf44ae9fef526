/** A node with a source, against what verifies the same provider's signature in Express by other means. */
const { comparison, meansOf } = require("../comparison");
const { input } = require("../inputs");
const { measure } = require("../rounds");
const { wantedInputs } = require("../settings");
const { signGithub, signStandard, signStripe } = require("../signing");

const GROUPS = [
  { sign: signGithub, contenders: ["ours, github", "express.json, verify", "octokit"] },
  { sign: signStripe, contenders: ["ours, stripe", "stripe"] },
  { sign: signStandard, contenders: ["ours, standardwebhooks", "standardwebhooks"] },
];

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  const sizes = settings.quick ? ["8 KB"] : ["1 KB", "8 KB", "25 KB", "900 KB"];
  /** @type {import("../table").Table[]} */
  const tables = [];
  const data = [];
  for (const { sign, contenders } of settings.quick ? GROUPS.slice(0, 1) : GROUPS) {
    const inputs = wantedInputs(
      sizes.map((size) => input(size, "identity", { sign })),
      settings,
    );
    const { measured } = await measure(contenders, inputs, settings);
    tables.push(...comparison("Signed", measured));
    data.push({ measured, means: meansOf(measured) });
  }
  return { tables, data };
}

module.exports = { run };
