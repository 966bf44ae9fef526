/** Runs the cases in turns, and prints how long each takes as JSON: `node bench/micro/run.js <rounds> <ms>`. */
const { spreadOf } = require("../statistics");
const { cases } = require("./cases");

/** @typedef {import("./cases").Case} Case */

/**
 * How long one run takes, in microseconds: of so many that they fill a stretch of time.
 *
 * @param {Case} one
 * @param {number} ms
 */
async function timed({ run }, ms) {
  let runs = 0;
  const startedAt = performance.now();
  let now = startedAt;
  while (now - startedAt < ms) {
    // The clock costs more than the smallest cases.
    for (let left = 64; left > 0; left--) {
      const result = run();
      if (result instanceof Promise) await result;
      runs++;
      if (left % 8 === 1 && performance.now() - startedAt > ms) break;
    }
    now = performance.now();
  }
  return ((now - startedAt) * 1000) / runs;
}

async function main() {
  const [rounds, ms] = process.argv.slice(2).map(Number);
  const all = cases();
  /** @type {number[][]} */
  const taken = all.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [at, one] of all.entries()) {
      const microseconds = await timed(one, ms);
      if (round >= 0) taken[at].push(microseconds);
    }
  }
  const told = all.map(({ group, name }, at) => ({ group, name, microseconds: spreadOf(taken[at]) }));
  process.stdout.write(JSON.stringify(told));
}

void main();
