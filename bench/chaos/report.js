/** What a run comes to, in a table, and whether a promise was broken. */
const { markdown, shown } = require("../table");

/** @typedef {import("./ledger").Verdict} Verdict */

/** @typedef {{ name: string, unavailableMs: number }} Struck A fault, and for how long nothing was acknowledged. */

/**
 * @typedef {object} Result
 * @property {string} broker
 * @property {"broker" | "node" | "control"} part what was struck
 * @property {Verdict} verdict
 * @property {readonly Struck[]} faults
 * @property {number} skipped faults that were not reached
 * @property {boolean} isDurable whether the part may lose nothing
 * @property {number} crashes of the node's process, by itself
 * @property {ReadonlyMap<number, number>} refusals
 */

/** @typedef {{ peak: number, p99Ms: number }} Speed Requests a second, and at 70 % of them. */

const PARTS = { broker: "broker struck", node: "node killed", control: "control: acknowledges first" };

/**
 * @param {Result} result
 * @returns {string[]} what it breaks
 */
function broken({ part, verdict, isDurable, crashes, refusals, skipped }) {
  const { sent, acknowledged, lost, doubledAfter, lostToKeys, foreign } = verdict;
  if (part === "control") return lost > 0 ? [] : ["the control has lost nothing, so this shows nothing"];
  const reasons = [
    [isDurable && lost > 0, `${lost} acknowledged deliveries are lost`],
    [doubledAfter > 0, `${doubledAfter} deliveries are doubled after deduplication`],
    [lostToKeys > 0, `${lostToKeys} good deliveries are lost to deduplication`],
    [foreign > 0, `${foreign} messages are none that was sent`],
    [crashes > 0, `the node's process has ended ${crashes} times by itself`],
    [refusals.size > 0, `good deliveries were refused: ${JSON.stringify([...refusals])}`],
    [acknowledged < sent, `${sent - acknowledged} deliveries were not acknowledged in time`],
    [skipped > 0, `${skipped} faults were not reached`],
  ];
  return /** @type {string[]} */ (reasons.filter(([is]) => is).map(([, reason]) => reason));
}

/**
 * @param {string} title
 * @param {readonly Result[]} results
 * @param {Speed | undefined} speed
 */
function report(title, results, speed) {
  const rows = results.map(({ part, verdict, faults, isDurable }) => [
    PARTS[part],
    ...[verdict.sent, verdict.attempts, verdict.acknowledged, verdict.received].map(String),
    `${verdict.lost}${isDurable || part === "control" || verdict.lost === 0 ? "" : " (*)"}`,
    ...[verdict.doubled, verdict.doubledAfter, verdict.lostToKeys].map(String),
    seconds(faults.reduce((sum, { unavailableMs }) => sum + unavailableMs, 0)),
  ]);
  const head = "sent,attempts,acknowledged,received,lost,doubled,after dedup,lost to dedup,unavailable".split(",");
  const lines = [markdown({ caption: title, head: ["", ...head], rows })];
  for (const { part, faults } of results.filter(({ part }) => part !== "control")) {
    const list = faults.map(({ name, unavailableMs }) => `${name} ${seconds(unavailableMs)}`).join(", ");
    lines.push(`Nothing acknowledged, ${PARTS[part]}: ${list}.`);
  }
  if (speed) lines.push(`At 70 % of the peak of ${shown(speed.peak)} requests/s: p99 ${shown(speed.p99Ms)} ms.`);
  if (results.some(({ isDurable, verdict, part }) => !isDurable && part !== "control" && verdict.lost > 0)) {
    lines.push("(*) This broker acknowledges what it holds in memory: it is not durable by any setting.");
  }
  return lines.join("\n");
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

module.exports = { broken, report };
