/** One broker put to the test: its server struck, then the node's process, then a control that must lose messages. */
const { mkdtemp, rm } = require("node:fs/promises");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const { brokerOf } = require("./brokers");
const { brokerFaults, nodeFaults } = require("./faults");
const { Ledger } = require("./ledger");
const { NodeServer } = require("./node-server");
const { freePort } = require("./ports");
const { Proxy } = require("./proxy");
const { Senders } = require("./senders");
const { measureSpeed } = require("./speed");

/**
 * @typedef {object} Settings
 * @property {number} deliveries of each part
 * @property {number} controlDeliveries
 * @property {number} kills
 * @property {number} silenceMs how long a stop and a black hole last; with 0 there are none
 * @property {number} speedMs with 0 no speed is measured
 * @property {number} limitMs of each part
 * @property {readonly ("broker" | "node" | "control")[]} parts
 * @property {boolean} isDeduplicating
 * @property {boolean} isVerbose
 */

/** @typedef {import("./report").Result} Result */

/**
 * @param {string} name of the broker
 * @param {string} file its program
 * @param {Settings} settings
 * @returns {Promise<{ results: Result[], speed: import("./report").Speed | undefined }>}
 */
async function run(name, file, settings) {
  const { isDurable, keeper, start } = brokerOf(name);
  const folder = await mkdtemp(join(tmpdir(), `chaos-${name}-`));
  const [port, brokerPort, proxyPort] = [await freePort(), await freePort(), await freePort()];
  const broker = await start({ folder, port: brokerPort, file });
  const proxy = new Proxy(brokerPort);
  await proxy.listen(proxyPort);
  /** @type {Result[]} */
  const results = [];
  /** @type {import("./report").Speed | undefined} */
  let speed;

  for (const part of settings.parts) {
    const isControl = part === "control";
    const destination = `chaos_${part}`;
    await broker.prepare(destination);
    const node = new NodeServer({
      broker: name,
      port,
      brokerPort: proxyPort,
      destination,
      folder: join(folder, part),
      isControl,
      isDeduplicating: settings.isDeduplicating,
      isVerbose: settings.isVerbose,
    });
    await node.start();
    const ledger = new Ledger();
    const senders = new Senders(port, ledger);
    const signal = AbortSignal.timeout(settings.limitMs);
    if (part === "broker" && settings.speedMs > 0) {
      speed = await measureSpeed(senders, ledger, { ms: settings.speedMs, signal });
    }
    const isNodeStruck = part === "node" || (isControl && keeper === "node");
    const faults = isNodeStruck ? nodeFaults(node, settings) : brokerFaults({ daemon: broker.daemon, proxy }, settings);
    const sending = isControl ? settings.controlDeliveries : settings.deliveries;
    const struck = await strike(faults, { senders, ledger, deliveries: sending, isToTheEnd: !isControl, signal });
    senders.close();
    await node.settle();
    await node.end("SIGTERM");
    results.push({
      broker: name,
      part,
      verdict: await ledger.compare(broker.received(destination)),
      faults: struck,
      skipped: faults.length - struck.length,
      // A broker that was not struck keeps what it has in memory.
      isDurable: isDurable || part === "node",
      crashes: node.crashes,
      refusals: senders.refusals,
    });
  }
  proxy.close();
  await broker.close?.();
  await broker.daemon.stop();
  await rm(folder, { recursive: true, force: true });
  return { results, speed };
}

/**
 * Sends deliveries, and strikes at even distances among them: a fault begins when the last one is over. Where a fault stops
 * nobody, as the control, deliveries may run out before the last one.
 *
 * @param {readonly import("./faults").Fault[]} faults
 * @param {{ senders: Senders, ledger: Ledger, deliveries: number, isToTheEnd: boolean, signal: AbortSignal }} settings
 *   `isToTheEnd` has more sent until all faults are over
 * @returns {Promise<import("./report").Struck[]>} those that were reached
 */
async function strike(faults, { senders, ledger, deliveries, isToTheEnd, signal }) {
  const first = ledger.sent;
  const done = new AbortController();
  /** @type {import("./report").Struck[]} */
  const struck = [];
  const goesOn = () => ledger.sent - first < deliveries || (isToTheEnd && struck.length < faults.length);
  const sent = senders.send(goesOn, signal).then(() => done.abort());
  for (const [index, { name, strike, lift }] of faults.entries()) {
    const at = first + ((index + 1) / (faults.length + 1)) * deliveries;
    while (!done.signal.aborted && ledger.acknowledged.size < at) await pause(5);
    if (done.signal.aborted) break;
    const begunAt = performance.now();
    await strike();
    const back = ledger.acknowledgedSince(performance.now());
    await lift();
    const backAt = await Promise.race([back, sent.then(() => performance.now())]);
    struck.push({ name, unavailableMs: backAt - begunAt });
  }
  await sent;
  return struck;
}

module.exports = { run };
