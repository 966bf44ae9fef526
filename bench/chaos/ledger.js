/** What was sent and acknowledged, held against what was received. */
const { delivery, identityOf, serialOf } = require("./deliveries");

/** @typedef {import("./deliveries").Delivery} Delivery */

/**
 * @typedef {object} Received A message as a consumer of the broker reads it.
 * @property {string} key `message.key`, where the emitter puts it for consumers
 * @property {string} deliveryId
 * @property {Buffer} octets
 */

/**
 * @typedef {object} Verdict
 * @property {number} sent deliveries
 * @property {number} attempts requests
 * @property {number} acknowledged deliveries whose sender got a 2xx
 * @property {number} received messages
 * @property {number} lost acknowledged, and not received
 * @property {number} doubled messages received beyond the first of a delivery
 * @property {number} doubledAfter the same, once messages with a `key` that was seen before are left out
 * @property {number} lostToKeys received, and left out with a `key` that was seen before, although nothing else tells of it
 * @property {number} foreign messages that nobody sent, or whose octets were altered
 */

class Ledger {
  attempts = 0;
  /** @type {Set<string>} */
  acknowledged = new Set();
  #sent = 0;
  /** @type {{ after: number, resolve: (at: number) => void }[]} */
  #waiting = [];

  /** @returns {Delivery} */
  next() {
    return delivery(this.#sent++);
  }

  get sent() {
    return this.#sent;
  }

  /**
   * @param {Delivery} delivery
   * @param {number} begunAt when the attempt was begun that was acknowledged, by `performance.now()`
   */
  acknowledge({ identity }, begunAt) {
    this.acknowledged.add(identity);
    const isOver = (/** @type {{ after: number }} */ { after }) => begunAt >= after;
    for (const { resolve } of this.#waiting.filter(isOver)) resolve(performance.now());
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
  }

  /**
   * Resolves to when a delivery was acknowledged whose attempt was begun after a time.
   *
   * @param {number} after
   * @returns {Promise<number>}
   */
  acknowledgedSince(after) {
    return new Promise((resolve) => this.#waiting.push({ after, resolve }));
  }

  /**
   * @param {AsyncIterable<Received> | Iterable<Received>} messages
   * @returns {Promise<Verdict>}
   */
  async compare(messages) {
    let received = 0;
    let foreign = 0;
    /** @type {Set<string>} */
    const all = new Set();
    /** @type {Set<string>} */
    const kept = new Set();
    const keys = new Set();
    for await (const { key, deliveryId, octets } of messages) {
      received++;
      const serial = serialOf(octets);
      if (serial === undefined || serial >= this.#sent) {
        foreign++;
        continue;
      }
      const identity = identityOf(deliveryId, serial);
      all.add(identity);
      if (keys.has(key)) continue;
      keys.add(key);
      kept.add(identity);
    }
    return {
      sent: this.#sent,
      attempts: this.attempts,
      acknowledged: this.acknowledged.size,
      received,
      lost: [...this.acknowledged].filter((identity) => !all.has(identity)).length,
      doubled: received - foreign - all.size,
      doubledAfter: keys.size - kept.size,
      lostToKeys: all.size - kept.size,
      foreign,
    };
  }
}

exports.Ledger = Ledger;
