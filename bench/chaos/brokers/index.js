/**
 * The brokers that are put to the test, by name.
 *
 * @typedef {import("express-webhook-node").Emitter} Emitter
 * @typedef {import("../ledger").Received} Received
 */

/**
 * @typedef {object} Connected What the app has: an emitter, with a client that finds back to its broker by itself.
 * @property {Emitter} emitter
 * @property {() => Promise<unknown>} [settled] resolves once the app has nothing left to hand on
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} AppSettings
 * @property {number} brokerPort
 * @property {string} destination the stream, queue, table or topic
 * @property {string} folder for what the process itself keeps
 */

/**
 * @typedef {object} Broker A server that is ours.
 * @property {import("../daemon").Daemon} daemon
 * @property {(destination: string) => Promise<void>} prepare makes a stream, queue, table or topic
 * @property {(destination: string) => AsyncIterable<Received>} received all that it holds, read by the broker's own client
 * @property {() => Promise<unknown>} [close]
 */

/**
 * @typedef {object} BrokerModule
 * @property {string} title what it is, and by which settings it is durable
 * @property {string} file the program that has to be installed
 * @property {boolean} isDurable whether what it has acknowledged outlives its end
 * @property {"broker" | "node"} keeper who has what was acknowledged, so whose end may lose it
 * @property {(settings: { folder: string, port: number, file: string }) => Promise<Broker>} start
 * @property {(settings: AppSettings, logger: import("express-webhook-node").Logger) => Promise<Connected>} connect called in the node's process
 */

const NAMES = ["nats", "amqp", "redis", "postgres", "mqtt", "spool"];

/**
 * Loads one, and no other's client.
 *
 * @param {string} name
 * @returns {BrokerModule}
 */
function brokerOf(name) {
  return require(`./${name}`);
}

module.exports = { NAMES, brokerOf };
