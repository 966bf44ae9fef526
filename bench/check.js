/**
 * Tells whether speed was lost, by ratios within one run: `npm run bench:check`, in half a minute. Machines that many
 * share are noisy, so it prints all it sees, and fails only far beyond noise.
 */
const { comparison, meansOf } = require("./comparison");
const { input } = require("./inputs");
const { measure } = require("./rounds");
const { markdown, shown } = require("./table");

/** Our CPU time as a multiple of that of `express.json()`: what is sent, and from where on it is a failure. */
const LIMITS = { "1 KB identity": 2, "8 KB identity": 2, "25 KB gzip": 1.2, "900 KB identity": 2.5 };
const CONTENDERS = ["ours", "express.json"];

const settings = {
  sections: [],
  quick: true,
  node: process.execPath,
  out: undefined,
  rounds: 7,
  batchMs: 150,
  warmUpMs: 5000,
  inputs: "",
  contenders: undefined,
  cpuProf: undefined,
  progress: () => {},
};

async function main() {
  const inputs = Object.keys(LIMITS).map((name) => {
    const [, size, coding] = /** @type {RegExpExecArray} */ (/^(.*) (\w+)$/.exec(name));
    return input(size, coding);
  });
  const { measured } = await measure(CONTENDERS, inputs, settings);
  for (const table of comparison("Check", measured)) console.log(markdown(table));

  const slow = measured.filter(
    // The better quartile: a round that a neighbour has spoilt is none.
    ({ input: name, contender, ratio }) => contender !== CONTENDERS[0] && ratio.low > LIMITS[name],
  );
  for (const { input: name, ratio } of slow) {
    console.error(`${name}: ${shown(ratio.low)} of express.json() at the best quarter, more than ${LIMITS[name]}.`);
  }
  if (slow.length > 0) process.exitCode = 1;
  else
    console.log(`No input is far slower than express.json(); ${shown(meansOf(measured)[CONTENDERS[1]])} on average.`);
}

void main();
