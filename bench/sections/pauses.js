/** The longest pause of the event loop when 50 bodies of 900 KB come at once. */
const { input } = require("../inputs");
const { Load } = require("../load");
const { Server } = require("../server");
const { wantedContenders } = require("../settings");
const { spreadOf } = require("../statistics");
const { shownSpread } = require("../table");

const CONTENDERS = ["ours", "express.json", "fastify", "node:http"];
const CODINGS = ["identity", "gzip"];

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  const contenders = wantedContenders(CONTENDERS, settings);
  const servers = await Promise.all(contenders.map((name) => Server.start(name, settings)));
  /** @type {Record<string, number[]>} */
  const pauses = {};
  // The first two rounds only warm up.
  for (let round = -2; round < settings.rounds; round++) {
    for (const coding of CODINGS) {
      for (const server of servers) {
        const load = new Load(server.port, 50);
        await server.ask("watch");
        await load.run(input("900 KB", coding).requests(), 1);
        const { pauseMs } = await server.ask("unwatch");
        load.close();
        if (round >= 0) (pauses[`${server.name} ${coding}`] ??= []).push(pauseMs);
      }
    }
  }
  await Promise.all(servers.map((server) => server.stop()));
  const spreads = Object.fromEntries(Object.entries(pauses).map(([cell, list]) => [cell, spreadOf(list)]));
  return {
    tables: [
      {
        caption: "Longest pause of the event loop with 50 bodies of 900 KB at once, ms",
        head: ["coding", ...contenders],
        rows: CODINGS.map((coding) => [coding, ...contenders.map((name) => shownSpread(spreads[`${name} ${coding}`]))]),
      },
    ],
    data: spreads,
  };
}

module.exports = { run };
