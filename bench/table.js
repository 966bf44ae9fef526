/** Tables in Markdown that a terminal shows well too. */

/**
 * @typedef {object} Table
 * @property {string} caption
 * @property {readonly string[]} head
 * @property {readonly (readonly string[])[]} rows
 */

/**
 * @param {Table} table
 * @returns {string}
 */
function markdown({ caption, head, rows }) {
  const widths = head.map((cell, column) => Math.max(cell.length, 3, ...rows.map((row) => row[column].length)));
  /** @param {readonly string[]} cells */
  const line = (cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [`**${caption}**`, "", line(head), rule, ...rows.map(line), ""].join("\n");
}

/**
 * A number with three figures that count, and no exponent.
 *
 * @param {number} value
 */
function shown(value) {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** @param {import("./statistics").Spread} spread */
function shownSpread({ median, low, high }) {
  return `${shown(median)} [${shown(low)}..${shown(high)}]`;
}

module.exports = { markdown, shown, shownSpread };
