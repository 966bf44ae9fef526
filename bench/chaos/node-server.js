/** The process under test, seen from the one that tests it. */
const { fork } = require("node:child_process");
const { once } = require("node:events");
const { join } = require("node:path");

class NodeServer {
  #settings;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #isExpected = false;
  /** How often it has ended by itself: that must not happen, whatever becomes of the broker. */
  crashes = 0;

  /** @param {import("./node-process").NodeSettings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /** Resolves once it listens. */
  async start() {
    this.#isExpected = false;
    const child = fork(join(__dirname, "node-process.js"), [JSON.stringify(this.#settings)], {
      env: { ...process.env, NODE_ENV: "production" },
    });
    this.#child = child;
    const hasEnded = once(child, "exit").then(() => "exit");
    void hasEnded.then(() => {
      if (child !== this.#child || this.#isExpected) return;
      this.crashes++;
      // Its senders are still there.
      this.start().catch(() => {});
    });
    if ((await Promise.race([once(child, "message"), hasEnded])) === "exit") {
      throw new Error("The node's process ended before it listened.");
    }
  }

  /** Resolves once it has nothing left to hand on. */
  async settle() {
    const child = this.#child;
    if (!child?.connected) return;
    const answer = Promise.race([once(child, "message"), once(child, "exit")]);
    child.send("settle");
    await answer;
  }

  /** @param {"SIGKILL" | "SIGTERM"} signal */
  async end(signal) {
    const child = this.#child;
    this.#isExpected = true;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await exit;
    clearTimeout(timer);
  }
}

exports.NodeServer = NodeServer;
