/**
 * How many messages a second each emitter hands over, against its client alone, which sends the same octets and waits for the
 * same confirmation. One process an emitter; brokers on their standard ports.
 */
const { execFile, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const { connect } = require("node:net");
const { join } = require("node:path");
const { promisify } = require("node:util");
const { shown, shownSpread } = require("./table");

/** @typedef {import("./emitters/measure").Figures} Figures */

/**
 * @typedef {object} Emitter
 * @property {string} name
 * @property {string} file of `emitters/jobs`
 * @property {number} [port] on which its broker listens
 * @property {string} [command] that has to be there
 */

/** @type {readonly Emitter[]} */
const EMITTERS = [
  { name: "nats", file: "nats", port: 4222 },
  { name: "redis-streams, each message once", file: "redis-streams", port: 6379 },
  { name: "redis-streams, windowSeconds: false", file: "redis-streams-repeating", port: 6379 },
  { name: "amqp", file: "amqp", port: 5672 },
  { name: "mqtt", file: "mqtt", port: 1883 },
  { name: "kafka", file: "kafka", command: "kcat" },
  { name: "postgres-outbox", file: "postgres-outbox", port: 5432 },
  { name: "mariadb-outbox", file: "mariadb-outbox", port: 3306 },
  { name: "bullmq", file: "bullmq", port: 6379 },
  { name: "sqs", file: "sqs" },
  { name: "http-forward", file: "http-forward" },
  { name: "spool", file: "spool" },
];

/**
 * Why an emitter cannot be measured here.
 *
 * @param {Emitter} emitter
 */
async function missing({ port, command }) {
  if (command !== undefined && spawnSync(command, ["-V"]).error) return `there is no ${command}`;
  if (port === undefined) return undefined;
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(1000) });
    return undefined;
  } catch {
    return `nothing listens on port ${port}`;
  } finally {
    socket.destroy();
  }
}

/**
 * @param {string} file
 * @param {import("./settings").Settings} settings
 */
async function measured(file, { node, rounds, batchMs, quick, inputs, cpuProf }) {
  const profiling = cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`];
  const script = join(__dirname, "emitters", "measure.js");
  const words = [...profiling, script, file, String(rounds), String(batchMs), quick ? "1" : "3", inputs];
  const env = { ...process.env, NODE_ENV: "production" };
  const { stdout } = await promisify(execFile)(node, words, { env, maxBuffer: 16_777_216 });
  return /** @type {Figures[]} */ (JSON.parse(stdout));
}

/**
 * @param {import("./settings").Settings} settings
 * @returns {Promise<import("./run").Section>}
 */
async function run(settings) {
  const { contenders } = settings;
  const wanted = EMITTERS.filter(({ file }) => !contenders || contenders.includes(file));
  /** @type {{ emitter: string, figures: Figures[] }[]} */
  const data = [];
  for (const [done, emitter] of wanted.entries()) {
    settings.progress(done, wanted.length);
    const why = await missing(emitter);
    if (why === undefined) data.push({ emitter: emitter.name, figures: await measured(emitter.file, settings) });
    else console.log(`${emitter.name} is skipped: ${why}.\n`);
  }
  settings.progress(wanted.length, wanted.length);
  const inputs = [...new Set(data.flatMap(({ figures }) => figures.map(({ input }) => input)))];
  const counts = [...new Set(data.flatMap(({ figures }) => figures.map(({ atATime }) => atATime)))];
  return { tables: counts.map((atATime) => tableOf(data, inputs, atATime)), data };
}

/**
 * @param {readonly { emitter: string, figures: readonly Figures[] }[]} data
 * @param {readonly string[]} inputs
 * @param {number} atATime
 */
function tableOf(data, inputs, atATime) {
  const rows = data.flatMap(({ emitter, figures }) => {
    const here = figures.filter((one) => one.atATime === atATime);
    const names = [...new Set(here.map(({ name }) => name))].filter((name) => name !== "ours");
    /** @param {string} input */
    const of = (input, name = "ours") => here.find((one) => one.input === input && one.name === name);
    return names.map((name) => [
      emitter,
      name,
      ...inputs.flatMap((input) => {
        const [ours, other] = [of(input), of(input, name)];
        return ours && other ? [shown(ours.perSecond.median), shownSpread(other.ratio)] : ["-", "-"];
      }),
    ]);
  });
  return {
    caption: `Messages a second, ${atATime} under way, and as a multiple of the client alone: above 1 the emitter is faster`,
    head: ["emitter", "client", ...inputs.flatMap((input) => [`${input}: a second`, "multiple"])],
    rows,
  };
}

module.exports = { run };
