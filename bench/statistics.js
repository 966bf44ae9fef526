/** The few figures that a list of measurements comes to. */

/** @typedef {{ median: number, low: number, high: number }} Spread The median and both quartiles. */

/**
 * @param {ArrayLike<number>} ordered from small to large
 * @param {number} part 0 to 1
 */
function quantile(ordered, part) {
  const at = (ordered.length - 1) * part;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return ordered[below] + (ordered[above] - ordered[below]) * (at - below);
}

/**
 * @param {readonly number[]} values
 * @returns {Spread}
 */
function spreadOf(values) {
  const ordered = Float64Array.from(values).sort();
  return { median: quantile(ordered, 0.5), low: quantile(ordered, 0.25), high: quantile(ordered, 0.75) };
}

/** @param {readonly number[]} values */
function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

module.exports = { geometricMean, quantile, spreadOf };
