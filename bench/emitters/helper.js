/** A server that is measured against, in a process of its own. */
const { fork } = require("node:child_process");
const { once } = require("node:events");
const { join } = require("node:path");

class Helper {
  #child;

  /**
   * @param {import("node:child_process").ChildProcess} child
   * @param {number} port
   */
  constructor(child, port) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a script beside this one, and resolves once it has told its port.
   *
   * @param {string} script
   */
  static async start(script) {
    const child = fork(join(__dirname, script), { execArgv: [] });
    const [port] = await once(child, "message");
    return new Helper(child, port);
  }

  stop() {
    this.#child.disconnect();
  }
}

module.exports = { Helper };
