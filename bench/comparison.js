/** The tables of a comparison: CPU time and its ratios, then what a client sees. */
const { geometricMean } = require("./statistics");
const { shown, shownSpread } = require("./table");

/** @typedef {import("./rounds").Measured} Measured */
/** @typedef {import("./table").Table} Table */

/**
 * The geometric mean of the first contender's ratios to each other one, over all inputs.
 *
 * @param {readonly Measured[]} measured
 * @returns {Record<string, number>}
 */
function meansOf(measured) {
  return Object.fromEntries(
    unique(measured.map(({ contender }) => contender)).map((contender) => [
      contender,
      geometricMean(measured.filter((one) => one.contender === contender).map(({ ratio }) => ratio.median)),
    ]),
  );
}

/**
 * @param {string} caption
 * @param {readonly Measured[]} measured
 * @returns {Table[]}
 */
function comparison(caption, measured) {
  const inputs = unique(measured.map(({ input }) => input));
  const [ours, ...others] = unique(measured.map(({ contender }) => contender));
  /**
   * @param {string} input
   * @param {string} contender
   */
  const at = (input, contender) =>
    /** @type {Measured} */ (measured.find((one) => one.input === input && one.contender === contender));
  const means = meansOf(measured);
  return [
    {
      caption: `${caption}: CPU time of a request`,
      head: ["input", `${ours}, us`, ...others.map((other) => `of ${other}`)],
      rows: [
        ...inputs.map((input) => [
          input,
          shownSpread(at(input, ours).cpuMicros),
          ...others.map((other) => shownSpread(at(input, other).ratio)),
        ]),
        ["geometric mean", "", ...others.map((other) => shown(means[other]))],
      ],
    },
    {
      caption: `${caption}: requests a second; p50 and p99 in ms`,
      head: ["input", ours, ...others],
      rows: inputs.map((input) => [
        input,
        ...[ours, ...others].map((contender) => {
          const { perSecond, p50Ms, p99Ms } = at(input, contender);
          return `${shown(perSecond.median)}; ${shown(p50Ms.median)}, ${shown(p99Ms.median)}`;
        }),
      ]),
    },
  ];
}

/**
 * @param {readonly string[]} values
 * @returns {string[]}
 */
function unique(values) {
  return [...new Set(values)];
}

module.exports = { comparison, meansOf };
