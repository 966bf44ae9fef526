/**
 * The process of one server: `node bench/serve.js <contender>`. It tells its port, and answers what it is asked over the
 * channel to its parent: what it has used up so far, its longest pause, its live heap.
 */
const http = require("node:http");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { CONTENDERS } = require("./contenders");

/**
 * @typedef {object} Usage
 * @property {number} cpuMicros CPU time of all threads since the start, in microseconds
 * @property {number} rssBytes
 * @property {number} peakRssBytes since the start
 * @property {number} heapBytes
 * @property {number} pauseMs the longest pause of the event loop since it was last watched
 */

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** @returns {Usage} */
function usage() {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuMicros: user + system,
    rssBytes: rss,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    heapBytes: heapUsed,
    pauseMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
  };
}

/** @type {Record<string, () => void>} */
const BEFORE = {
  usage: () => {},
  // The histogram costs CPU time, so it runs only where pauses are asked for.
  watch: () => {
    delay.enable();
    delay.reset();
  },
  unwatch: () => {
    delay.disable();
  },
  collect: () => globalThis.gc?.(),
};

async function main() {
  const listener = await CONTENDERS[process.argv[2]]();
  const server = http.createServer(listener);
  // Connections outlive the rounds in which others are measured.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 600_000;
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, () => {
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    process.send?.({ port });
  });
  process.on("message", (/** @type {string} */ asked) => {
    BEFORE[asked]();
    process.send?.(usage());
  });
  // An exit by itself lets --cpu-prof write its profile.
  process.on("disconnect", () => process.exit());
}

void main();
