/**
 * Memory, each time of a fresh process: under load, with slow senders that hold their last octet back, with bombs, and of
 * what is left once many requests were served.
 */
const { Connection } = require("../connection");
const { BROTLI_BOMB, GZIP_BOMB } = require("../hostile-mix");
const { input } = require("../inputs");
const { Load } = require("../load");
const { PAYLOADS } = require("../payloads");
const { request } = require("../request");
const { Server } = require("../server");
const { wantedContenders } = require("../settings");
const { shown } = require("../table");
const { setTimeout } = require("node:timers/promises");

/** @typedef {import("../settings").Settings} Settings */
/** @typedef {{ peakBytes: number, heldBytes: number, statuses: Record<number, number> }} Memory Beyond the idle process. */

const CONTENDERS = ["ours, silent", "express.json", "fastify", "node:http"];

/**
 * Runs work against a fresh server, and tells how far its memory has grown meanwhile.
 *
 * @param {string} contender
 * @param {Settings} settings
 * @param {(server: InstanceType<typeof Server>) => Promise<Omit<Memory, "peakBytes">>} work
 * @returns {Promise<Memory>}
 */
async function growth(contender, settings, work) {
  const server = await Server.start(contender, settings);
  try {
    const idle = await server.ask("collect");
    const told = await work(server);
    const { peakRssBytes } = await server.ask();
    return { ...told, peakBytes: peakRssBytes - idle.rssBytes };
  } finally {
    await server.stop();
  }
}

/**
 * @param {InstanceType<typeof Server>} server
 * @param {readonly import("../connection").Request[]} requests
 * @param {number} connections
 * @param {number} ms
 */
async function underLoad(server, requests, connections, ms) {
  const load = new Load(server.port, connections);
  const { statuses } = await load.run(requests, ms);
  load.close();
  return { heldBytes: 0, statuses };
}

/**
 * Sends so many bodies, but for the last octet of each, and waits until the server has what it takes of them.
 *
 * @param {InstanceType<typeof Server>} server
 * @param {number} senders
 */
async function slowSenders(server, senders) {
  const body = PAYLOADS["1 MiB, just under the limit"];
  const octets = request(body).subarray(0, -1);
  /** @type {Record<number, number>} */
  const statuses = {};
  const connections = Array.from({ length: senders }, () => new Connection(server.port));
  let answered = 0;
  for (const connection of connections) {
    connection.send({ octets, isCut: true }, (status) => {
      answered++;
      statuses[status] = (statuses[status] ?? 0) + 1;
    });
  }
  // Shorter than the ten seconds after which a node gives a body up.
  const until = performance.now() + 6000;
  while (performance.now() < until && connections.some(({ unsentBytes }) => unsentBytes > 0)) await setTimeout(50);
  await setTimeout(500);
  const heldBytes = (senders - answered) * body.length;
  for (const connection of connections) connection.close();
  return { heldBytes, statuses };
}

/**
 * The live heap, garbage collected, after two thousand requests and after ten times as many.
 *
 * @param {string} contender
 * @param {Settings} settings
 */
async function leftOver(contender, settings) {
  const server = await Server.start(contender, settings);
  const load = new Load(server.port, 50);
  const { requests } = input("1 KB", "identity");
  /** @param {number} wanted */
  const serve = async (wanted) => {
    for (let served = 0; served < wanted;) served += (await load.run(requests(), 200)).requests;
    return (await server.ask("collect")).heapBytes;
  };
  const before = await serve(2000);
  const after = await serve(settings.quick ? 8000 : 18_000);
  load.close();
  await server.stop();
  return { before, after };
}

/**
 * @param {Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  const [senders, bombs, ms] = settings.quick ? [100, 50, 500] : [500, 200, 3000];
  const bodies = input("900 KB", "gzip").requests();
  const both = [
    { octets: request(GZIP_BOMB, { "Content-Encoding": "gzip" }), isCut: true },
    { octets: request(BROTLI_BOMB, { "Content-Encoding": "br" }), isCut: true },
  ];
  const rows = [];
  const data = [];
  for (const contender of wantedContenders(CONTENDERS, settings)) {
    const loaded = await growth(contender, settings, (server) => underLoad(server, bodies, 50, ms));
    const slow = await growth(contender, settings, (server) => slowSenders(server, senders));
    const bombed = await growth(contender, settings, (server) => underLoad(server, both, bombs, 1));
    const left = await leftOver(contender, settings);
    const answers = Object.keys(bombed.statuses).join(" ");
    rows.push([
      contender,
      shownMiB(loaded.peakBytes),
      `${shownMiB(slow.peakBytes)} with ${shownMiB(slow.heldBytes)} held`,
      `${shownMiB(bombed.peakBytes)} (${answers})`,
      `${shownMiB(left.before)} -> ${shownMiB(left.after)}`,
    ]);
    data.push({ contender, loaded, slow, bombed, left });
  }
  return {
    tables: [
      {
        caption:
          "Peak resident memory beyond the idle process, MiB; live heap after 2,000 requests and ten times as many",
        head: ["contender", "900 KB gzip", `${senders} slow senders of 1 MiB`, `${bombs} bombs at once`, "heap"],
        rows,
      },
    ],
    data,
  };
}

/** @param {number} bytes */
function shownMiB(bytes) {
  return shown(bytes / 1_048_576);
}

module.exports = { run };
