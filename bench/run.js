/**
 * Measures this package against what a user would take instead. bench/README.md tells how to read the results.
 *
 *     npm run bench
 *     npm run bench -- throughput --quick --node /path/to/another/node
 */
const { existsSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { machine } = require("./machine");
const { readSettings } = require("./settings");
const { markdown } = require("./table");

/**
 * @typedef {object} Section What each file of sections exports as `run`.
 * @property {readonly import("./table").Table[]} tables
 * @property {unknown} data what the tables were made of
 */

/** In the order in which they run. */
const SECTIONS = ["throughput", "signatures", "connections", "hostile", "memory", "pauses", "micro", "startup"];
const QUICK = ["throughput", "signatures", "micro", "startup"];
/** Brokers have to be there for it, so it runs only when it is named. */
const EMITTERS = join(__dirname, "emitters.js");

/**
 * @param {string} name
 * @returns {{ run: (settings: import("./settings").Settings) => Promise<Section> }}
 */
function load(name) {
  return require(name === "emitters" ? EMITTERS : `./sections/${name}.js`);
}

async function main() {
  const settings = readSettings(existsSync(EMITTERS) ? [...SECTIONS, "emitters"] : SECTIONS);
  const head = machine(settings.node);
  const versions = Object.entries(head.versions).map(([name, version]) => `${name} ${version}`);
  console.log(`commit ${head.commit}, Node ${head.node}, ${head.date}`);
  console.log(`${head.processor}, ${head.memoryMiB} MiB, ${head.system}, load average ${head.loadAverage.toFixed(1)}`);
  console.log(`${versions.join(", ")}; ${settings.rounds} rounds of ${settings.batchMs} ms: median [quartiles]\n`);

  /** @type {Record<string, unknown>} */
  const results = {};
  const wanted = settings.quick ? QUICK : SECTIONS;
  for (const name of settings.sections.length > 0 ? settings.sections : wanted) {
    const { tables, data } = await load(name).run(settings);
    console.log(`## ${name}\n`);
    for (const table of tables) console.log(markdown(table));
    results[name] = data;
  }
  if (settings.out === undefined) return;
  const { rounds, batchMs, quick } = settings;
  writeFileSync(settings.out, `${JSON.stringify({ machine: head, quick, rounds, batchMs, results }, undefined, 2)}\n`);
}

void main();
