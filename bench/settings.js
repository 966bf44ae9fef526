/** What the command line says. */
const { parseArgs } = require("node:util");

const USAGE = `npm run bench -- [section ...] [--quick] [--node <path>] [--out <file>]

  section            one or more of those below; all but emitters unless told
  --quick            few sections, inputs and rounds: under a minute
  --node <path>      the Node that the servers run under
  --out <file>       where the results are written as JSON
  --rounds <n>       how often each server gets each input
  --batch-ms <n>     how long a batch is
  --inputs <text>    only the inputs whose name begins so, such as "8 KB"
  --contenders <names>  only these of a section, with ; between them; ours comes first
  --cpu-prof <folder>   writes a CPU profile of each server`;

/**
 * @typedef {object} Settings
 * @property {readonly string[]} sections
 * @property {boolean} quick
 * @property {string} node
 * @property {string | undefined} out
 * @property {number} rounds
 * @property {number} batchMs
 * @property {number} warmUpMs how long each server is warmed up, at least
 * @property {string} inputs
 * @property {readonly string[] | undefined} contenders
 * @property {string | undefined} cpuProf
 * @property {(done: number, of: number) => void} progress
 */

/**
 * @param {readonly string[]} known the sections that there are
 * @returns {Settings}
 */
function readSettings(known) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      node: { type: "string", default: process.execPath },
      out: { type: "string" },
      rounds: { type: "string" },
      "batch-ms": { type: "string" },
      inputs: { type: "string", default: "" },
      contenders: { type: "string" },
      "cpu-prof": { type: "string" },
    },
  });
  const unknown = positionals.find((section) => !known.includes(section));
  if (values.help || unknown !== undefined) {
    console.log(`${USAGE}\n\n  sections: ${known.join(", ")}`);
    process.exit(unknown === undefined ? 0 : 1);
  }
  const { quick } = values;
  return {
    sections: positionals,
    quick,
    node: values.node,
    out: values.out,
    rounds: positiveInteger("rounds", values.rounds, quick ? 3 : 9),
    batchMs: positiveInteger("batch-ms", values["batch-ms"], quick ? 100 : 200),
    warmUpMs: quick ? 2500 : 16_000,
    inputs: values.inputs,
    contenders: values.contenders?.split(";"),
    cpuProf: values["cpu-prof"],
    progress: (done, of) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r  round ${Math.max(done, 0)} of ${of} ${done === of ? "\n" : ""}`);
    },
  };
}

/**
 * @param {string} name
 * @param {string | undefined} told
 * @param {number} otherwise
 */
function positiveInteger(name, told, otherwise) {
  if (told === undefined) return otherwise;
  const value = Number(told);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`--${name}: ${told} is not a whole number above 0.`);
}

/**
 * The contenders of a section that are wanted: all of them, unless the command line names some.
 *
 * @param {readonly string[]} all
 * @param {Settings} settings
 */
function wantedContenders([first, ...others], { contenders }) {
  return [first, ...others.filter((name) => !contenders || contenders.includes(name))];
}

/**
 * @template {{ readonly name: string }} T
 * @param {readonly T[]} all
 * @param {Settings} settings
 */
function wantedInputs(all, { inputs }) {
  return all.filter(({ name }) => name.startsWith(inputs));
}

module.exports = { readSettings, wantedContenders, wantedInputs };
