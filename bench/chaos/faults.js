/** What is done to a broker and to a node while senders go on. */
const { setTimeout: pause } = require("node:timers/promises");

/** @typedef {{ name: string, strike: () => Promise<unknown>, lift: () => Promise<unknown> }} Fault */

/** A killed one stays away for that long, so that its absence is noticed. */
const DOWN_MS = 300;

/**
 * @param {{ daemon: import("./daemon").Daemon, proxy: import("./proxy").Proxy }} broker
 * @param {{ kills: number, silenceMs: number }} settings
 * @returns {Fault[]}
 */
function brokerFaults({ daemon, proxy }, { kills, silenceMs }) {
  const kill = {
    name: "SIGKILL",
    strike: () => daemon.kill(),
    lift: async () => (await pause(DOWN_MS), await daemon.start()),
  };
  const stop = {
    name: "SIGSTOP",
    strike: async () => daemon.signal("SIGSTOP"),
    lift: async () => (await pause(silenceMs), daemon.signal("SIGCONT")),
  };
  const blackHole = {
    name: "black hole",
    strike: async () => proxy.blackHole(),
    lift: async () => (await pause(silenceMs), proxy.heal()),
  };
  return [...times(kills, kill), ...(silenceMs > 0 ? [stop, blackHole] : [])];
}

/**
 * @param {import("./node-server").NodeServer} node
 * @param {{ kills: number }} settings
 * @returns {Fault[]}
 */
function nodeFaults(node, { kills }) {
  /** @param {"SIGKILL" | "SIGTERM"} signal */
  const end = (signal) => ({ name: signal, strike: () => node.end(signal), lift: () => node.start() });
  return [...times(kills, end("SIGKILL")), end("SIGTERM")];
}

/**
 * @param {number} count
 * @param {Fault} fault
 */
function times(count, fault) {
  return Array.from({ length: count }, () => fault);
}

module.exports = { brokerFaults, nodeFaults };
