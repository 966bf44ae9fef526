/** Load on a server: so many connections, each with one request under way, for so long. */
const { Connection } = require("./connection");

/** @typedef {import("./connection").Request} Request */

/**
 * @typedef {object} Batch What the client saw.
 * @property {number} requests
 * @property {number} elapsedMs
 * @property {Float64Array} latenciesMs in order of size
 * @property {Record<number, number>} statuses how often each came; 0 is a connection that ended without an answer
 */

class Load {
  /** @type {InstanceType<typeof Connection>[]} */
  #connections;
  #next = 0;

  /**
   * @param {number} port
   * @param {number} connections
   */
  constructor(port, connections) {
    this.#connections = Array.from({ length: connections }, () => new Connection(port));
  }

  /**
   * Sends requests in turn until the time is over and all that were sent are answered: at least one a connection.
   *
   * @param {readonly Request[]} requests
   * @param {number} ms
   * @returns {Promise<Batch>}
   */
  async run(requests, ms) {
    /** @type {number[]} */
    const latencies = [];
    /** @type {Record<number, number>} */
    const statuses = {};
    const startedAt = performance.now();
    const until = startedAt + ms;
    // On loopback a server that writes to a client asleep pays for waking it, and the slower it is the more often: this one
    // never sleeps.
    let isRunning = true;
    const stayAwake = () => {
      if (isRunning) setImmediate(stayAwake);
    };
    stayAwake();
    await Promise.all(
      this.#connections.map(
        (connection) =>
          new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
            let sentAt = 0;
            const send = () => {
              sentAt = performance.now();
              connection.send(requests[this.#next++ % requests.length], onAnswer);
            };
            /** @param {number} status */
            const onAnswer = (status) => {
              const now = performance.now();
              latencies.push(now - sentAt);
              statuses[status] = (statuses[status] ?? 0) + 1;
              if (now < until) send();
              else resolve();
            };
            send();
          }),
      ),
    );
    isRunning = false;
    return {
      requests: latencies.length,
      elapsedMs: performance.now() - startedAt,
      latenciesMs: Float64Array.from(latencies).sort(),
      statuses,
    };
  }

  close() {
    for (const connection of this.#connections) connection.close();
  }
}

module.exports = { Load };
