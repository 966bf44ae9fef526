/** Ports for servers that are started again on the same one. */
const net = require("node:net");
const { randomInt } = require("node:crypto");

// Below those that systems take for outgoing connections: a killed server must find its own still free.
const FIRST = 20_000;
const LAST = 30_000;

/** @returns {Promise<number>} a port on which nobody listens */
async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await canListen(port)) return port;
  }
}

/** @param {number} port */
function canListen(port) {
  return new Promise((/** @type {(is: boolean) => void} */ resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function canConnect(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    /** @param {boolean} is */
    const settle = (is) => (socket.destroy(), resolve(is));
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}

module.exports = { canConnect, freePort };
