/** Senders as providers are: each delivery is sent again until it is acknowledged, with the same id and the same octets. */
const http = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");
const { bodyOf } = require("./deliveries");
const { TOKEN } = require("./source");

/** @typedef {import("./deliveries").Delivery} Delivery */

const CONNECTIONS = 64;
/** Less than an emitter may take, so some attempts are given up that are confirmed yet. */
const ATTEMPT_MS = 4_000;
const SHORTEST_PAUSE_MS = 50;
/** `Retry-After` counts in seconds: it is honoured, but for no longer than this. */
const LONGEST_PAUSE_MS = 500;

class Senders {
  #port;
  #ledger;
  #agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS * 2, maxFreeSockets: CONNECTIONS * 2 });
  /** @type {Map<number, number>} how often each refusal came that no sender should get */
  refusals = new Map();

  /**
   * @param {number} port
   * @param {import("./ledger").Ledger} ledger
   */
  constructor(port, ledger) {
    this.#port = port;
    this.#ledger = ledger;
  }

  /**
   * Sends deliveries by many connections at once. Resolves once there are no more, and all were acknowledged.
   *
   * @param {() => boolean} goesOn
   * @param {AbortSignal} signal ends it at once
   */
  async send(goesOn, signal) {
    const work = async () => {
      while (goesOn() && !signal.aborted) await this.deliver(this.#ledger.next(), signal);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
  }

  /**
   * @param {Delivery} delivery
   * @param {AbortSignal} signal
   */
  async deliver(delivery, signal) {
    for (let pauseMs = SHORTEST_PAUSE_MS; !signal.aborted; pauseMs *= 2) {
      const begunAt = performance.now();
      this.#ledger.attempts++;
      const { status, retryAfterMs } = await this.#attempt(delivery);
      if (status >= 200 && status < 300) return this.#ledger.acknowledge(delivery, begunAt);
      if (status >= 400 && status < 500) this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
      await pause(Math.min(Math.max(pauseMs, retryAfterMs), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2));
    }
  }

  close() {
    this.#agent.destroy();
  }

  /**
   * One request. The status is 0 where there was no answer.
   *
   * @param {Delivery} delivery
   * @returns {Promise<{ status: number, retryAfterMs: number }>}
   */
  #attempt({ id, serial }) {
    return new Promise((resolve) => {
      const body = bodyOf(serial);
      const request = http.request({
        agent: this.#agent,
        host: "127.0.0.1",
        port: this.#port,
        method: "POST",
        path: "/hook",
        headers: {
          "Content-Type": "application/json",
          "Content-Length": body.length,
          "X-Token": TOKEN,
          "X-Delivery": id,
        },
      });
      const timer = setTimeout(() => request.destroy(new Error("The sender has given up.")), ATTEMPT_MS);
      /** @param {number} status @param {string} [retryAfter] */
      const settle = (status, retryAfter) => {
        clearTimeout(timer);
        resolve({ status, retryAfterMs: Number(retryAfter ?? 0) * 1000 });
      };
      request.on("error", () => settle(0));
      request.on("response", (response) => {
        // An acknowledgement counts once its field lines have come; what is cut off behind them takes nothing back.
        settle(response.statusCode ?? 0, response.headers["retry-after"]);
        response.on("error", () => {}).resume();
      });
      request.end(body);
    });
  }
}

exports.Senders = Senders;
