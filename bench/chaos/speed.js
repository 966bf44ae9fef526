/** How fast a node is with its emitter: its peak, and how long an answer takes at 70 % of that. */
const { setTimeout: pause } = require("node:timers/promises");
const { quantile } = require("../statistics");

const SHARE = 0.7;
const TICK_MS = 5;

/**
 * @param {import("./senders").Senders} senders
 * @param {import("./ledger").Ledger} ledger
 * @param {{ ms: number, signal: AbortSignal }} settings
 * @returns {Promise<import("./report").Speed>}
 */
async function measureSpeed(senders, ledger, { ms, signal }) {
  /** @param {number} duration */
  const atFullSpeed = async (duration) => {
    const before = ledger.acknowledged.size;
    const begunAt = performance.now();
    await senders.send(() => performance.now() - begunAt < duration, signal);
    return (ledger.acknowledged.size - before) / ((performance.now() - begunAt) / 1000);
  };
  await atFullSpeed(ms / 2);
  const peak = await atFullSpeed(ms);

  /** @type {number[]} */
  const latencies = [];
  /** @type {Promise<void>[]} */
  const underWay = [];
  const begunAt = performance.now();
  for (let sent = 0; performance.now() - begunAt < ms && !signal.aborted; await pause(TICK_MS)) {
    // Requests come when they come, however long the ones before them take: so a wait is counted, too.
    for (; sent < ((performance.now() - begunAt) / 1000) * peak * SHARE; sent++) {
      const dueAt = begunAt + (sent / (peak * SHARE)) * 1000;
      const delivered = senders.deliver(ledger.next(), signal);
      underWay.push(delivered.then(() => void latencies.push(performance.now() - dueAt)));
    }
  }
  await Promise.all(underWay);
  latencies.sort((a, b) => a - b);
  return { peak, p99Ms: latencies.length > 0 ? quantile(latencies, 0.99) : NaN };
}

module.exports = { measureSpeed };
