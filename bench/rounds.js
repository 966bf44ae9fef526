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

/** @typedef {InstanceType<typeof Server>} ServerProcess */
/** @typedef {(server: ServerProcess, input: Input) => InstanceType<typeof Load>} LoadOf */
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
/** The shortest batch, in milliseconds: what is left is how long it takes to answer what was sent. */
const SHORTEST_MS = 50;
const SMALL_BYTES = 100_000;

/**
 * One batch, and what the server used up for it.
 *
 * @param {ServerProcess} server
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
 * Lets the compiler see all inputs, and the small ones until it has seen enough: it counts calls, not octets, and large
 * programs take some ten thousand requests.
 *
 * @param {ServerProcess} server
 * @param {LoadOf} loadOf
 * @param {readonly Input[]} inputs
 * @param {number} ms
 */
async function warmUp(server, loadOf, inputs, ms) {
  const until = performance.now() + ms;
  for (const input of inputs) await loadOf(server, input).run(input.requests(), SHORTEST_MS);
  const small = inputs.filter((input) => input.requests().every(({ octets }) => octets.length < SMALL_BYTES));
  for (let at = 0; small.length > 0 && performance.now() < until; at++) {
    const input = small[at % small.length];
    await loadOf(server, input).run(input.requests(), SHORTEST_MS);
  }
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
  const loads = new Map();
  /** @type {LoadOf} */
  const loadOf = (server, { connections = CONNECTIONS }) => {
    const key = `${server.name} ${connections}`;
    const load = loads.get(key) ?? new Load(server.port, connections);
    loads.set(key, load);
    return load;
  };
  for (const server of servers) await warmUp(server, loadOf, inputs, settings.warmUpMs);

  /** @type {Map<string, Sample[]>} */
  const samples = new Map();
  for (let round = 0; round < settings.rounds; round++) {
    for (const input of inputs) {
      for (let turn = 0; turn < servers.length; turn++) {
        const server = servers[(turn + round) % servers.length];
        const cell = `${input.name}\n${server.name}`;
        const taken = await sample(server, loadOf(server, input), input, settings.batchMs);
        samples.set(cell, [...(samples.get(cell) ?? []), taken]);
      }
    }
    settings.progress(round + 1, settings.rounds);
  }

  const peaks = await Promise.all(servers.map(async (server) => [server.name, (await server.ask()).peakRssBytes]));
  for (const load of loads.values()) load.close();
  await Promise.all(servers.map((server) => server.stop()));
  const measured = inputs.flatMap(({ name }) => {
    const firsts = samples.get(`${name}\n${contenders[0]}`) ?? [];
    return contenders.map((contender) => summary(name, contender, samples.get(`${name}\n${contender}`) ?? [], firsts));
  });
  return { measured, peakRssBytes: Object.fromEntries(peaks) };
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
