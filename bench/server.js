/** A server in a process of its own, seen from the process that measures it. */
const { fork } = require("node:child_process");
const { once } = require("node:events");
const { join } = require("node:path");

/** @typedef {import("./serve").Usage} Usage */

class Server {
  /** @type {import("node:child_process").ChildProcess} */
  #child;

  /**
   * @param {import("node:child_process").ChildProcess} child
   * @param {string} name
   * @param {number} port
   */
  constructor(child, name, port) {
    this.#child = child;
    this.name = name;
    this.port = port;
  }

  /**
   * Starts a contender under a Node, and resolves once it listens.
   *
   * @param {string} name
   * @param {{ node: string, cpuProf?: string | undefined }} settings
   */
  static async start(name, { node, cpuProf }) {
    const profiling = cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`];
    const child = fork(join(__dirname, "serve.js"), [name], {
      execPath: node,
      execArgv: ["--expose-gc", ...profiling],
      env: { ...process.env, NODE_ENV: "production" },
    });
    const failed = once(child, "exit").then(() => {
      throw new Error(`The server of ${name} has ended.`);
    });
    failed.catch(() => {});
    const [{ port }] = await Promise.race([once(child, "message"), failed]);
    return new Server(child, name, port);
  }

  /**
   * What it has used up so far. `watch` begins to look for pauses first, `collect` collects garbage.
   *
   * @param {"usage" | "watch" | "unwatch" | "collect"} what
   * @returns {Promise<Usage>}
   */
  async ask(what = "usage") {
    const answer = once(this.#child, "message");
    this.#child.send(what);
    const [usage] = await answer;
    return usage;
  }

  async stop() {
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}

module.exports = { Server };
