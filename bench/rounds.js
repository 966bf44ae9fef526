/**
 * Rounds: in each, every server gets a batch of every input, in an order that turns, so that what disturbs the machine
 * strikes all of them alike. Ratios are taken within a round.
 */
const { Load } = require("./load");
const { quantile, spreadOf } = require("./statistics");
const { Server } = require("./server");

/** @typedef {import("./inputs").Input} Input */
/** @typedef {import("./statistics").Spread} Spread */
/** @typedef {import("./settings").Settings} Settings */

/** @typedef {{ cpuMicros: number, perSecond: number, p50Ms: number, p99Ms: number, statuses: Record<number, number> }} Sample */

/**
 * @typedef {object} Measured One server under one input.
 * @property {string} input
 * @property {string} contender
 * @property {Spread} cpuMicros CPU time of the server for one request, in microseconds
 * @property {Spread} perSecond
 * @property {Spread} p50Ms
 * @property {Spread} p99Ms
 * @property {Spread} ratio CPU time of the first contender, as a multiple of this one's, within a round
 * @property {Record<number, number>} statuses of all rounds
 */

const CONNECTIONS = 50;
/** Batches that do not count, of each input: the compiler has seen all of them before the first round. */
const WARM_UP = 2;

/**
 * One batch, and what the server used up for it.
 *
 * @param {InstanceType<typeof Server>} server
 * @param {InstanceType<typeof Load>} load
 * @param {Input} input
 * @param {number} ms
 * @returns {Promise<Sample>}
 */
async function sample(server, load, input, ms) {
  const requests = input.requests();
  const before = await server.ask();
  const batch = await load.run(requests, ms);
  const after = await server.ask();
  for (const status of Object.keys(batch.statuses)) {
    if (input.isExpected(Number(status))) continue;
    throw new Error(`${server.name} has answered ${input.name} with ${status}.`);
  }
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / batch.requests,
    perSecond: batch.requests / (batch.elapsedMs / 1000),
    p50Ms: quantile(batch.latenciesMs, 0.5),
    p99Ms: quantile(batch.latenciesMs, 0.99),
    statuses: batch.statuses,
  };
}

/**
 * Measures contenders, the first one against all others, under inputs.
 *
 * @param {readonly string[]} contenders
 * @param {readonly Input[]} inputs
 * @param {Settings} settings
 * @returns {Promise<{ measured: Measured[], peakRssBytes: Record<string, number> }>}
 */
async function measure(contenders, inputs, settings) {
  const servers = await Promise.all(contenders.map((name) => Server.start(name, settings)));
  /** @type {Map<string, InstanceType<typeof Load>>} */
  const loads = new Map();
  /** @type {Map<string, Sample[]>} */
  const samples = new Map();

  for (let round = -WARM_UP; round < settings.rounds; round++) {
    for (const input of inputs) {
      const { connections = CONNECTIONS } = input;
      for (let turn = 0; turn < servers.length; turn++) {
        const server = servers[(turn + round + WARM_UP) % servers.length];
        const key = `${server.name} ${connections}`;
        const load = loads.get(key) ?? new Load(server.port, connections);
        loads.set(key, load);
        const taken = await sample(server, load, input, round < 0 ? settings.warmUpMs : settings.batchMs);
        const cell = `${input.name}\n${server.name}`;
        if (round >= 0) samples.set(cell, [...(samples.get(cell) ?? []), taken]);
      }
    }
    settings.progress(round + 1, settings.rounds);
  }

  const peakRssBytes = Object.fromEntries(
    await Promise.all(servers.map(async (server) => [server.name, (await server.ask()).peakRssBytes])),
  );
  for (const load of loads.values()) load.close();
  await Promise.all(servers.map((server) => server.stop()));
  const measured = inputs.flatMap(({ name }) =>
    contenders.map((contender) => {
      const firsts = samples.get(`${name}\n${contenders[0]}`) ?? [];
      return summary(name, contender, samples.get(`${name}\n${contender}`) ?? [], firsts);
    }),
  );
  return { measured, peakRssBytes };
}

/**
 * @param {string} input
 * @param {string} contender
 * @param {readonly Sample[]} own
 * @param {readonly Sample[]} firsts of the first contender, in the same rounds
 * @returns {Measured}
 */
function summary(input, contender, own, firsts) {
  /** @type {Record<number, number>} */
  const statuses = {};
  for (const { statuses: told } of own) {
    for (const status in told) statuses[status] = (statuses[status] ?? 0) + told[status];
  }
  return {
    input,
    contender,
    cpuMicros: spreadOf(own.map(({ cpuMicros }) => cpuMicros)),
    perSecond: spreadOf(own.map(({ perSecond }) => perSecond)),
    p50Ms: spreadOf(own.map(({ p50Ms }) => p50Ms)),
    p99Ms: spreadOf(own.map(({ p99Ms }) => p99Ms)),
    ratio: spreadOf(own.map(({ cpuMicros }, round) => firsts[round].cpuMicros / cpuMicros)),
    statuses,
  };
}

module.exports = { measure };
