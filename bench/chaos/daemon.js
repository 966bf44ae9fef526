/** A server process of our own: started, killed, stopped and continued by its pid, together with what it has started itself. */
const { execFileSync, spawn } = require("node:child_process");
const { once } = require("node:events");
const { setTimeout: pause } = require("node:timers/promises");
const { canConnect } = require("./ports");

/**
 * @typedef {object} Command
 * @property {string} file
 * @property {readonly string[]} args
 * @property {number} port where it listens once it is up
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [uid]
 * @property {number} [gid]
 * @property {NodeJS.Signals} [endSignal] by which it ends, and its own children with it; SIGTERM by default
 */

const START_MS = 60_000;
const OUTPUT_LENGTH = 4_000;
/** @type {readonly NodeJS.Signals[]} */
const TO_ALL = ["SIGKILL", "SIGSTOP", "SIGCONT"];

/** @type {Set<Daemon>} */
const running = new Set();
process.on("exit", () => running.forEach((daemon) => daemon.signal("SIGKILL")));

class Daemon {
  #command;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #output = "";

  /** @param {Command} command */
  constructor(command) {
    this.#command = command;
  }

  /** Resolves once it listens. One that ends before, as while a killed one still lets go of its files, is started again. */
  async start() {
    const { file, args, port, cwd, env, uid, gid } = this.#command;
    const until = performance.now() + START_MS;
    running.add(this);
    while (performance.now() < until) {
      /** @type {import("node:child_process").SpawnOptions} */
      const options = { cwd, env: env ?? process.env, stdio: ["ignore", "pipe", "pipe"] };
      const child = spawn(file, args, { ...options, ...(uid !== undefined && { uid, gid }) });
      this.#child = child;
      const ended = new AbortController();
      child.once("exit", () => ended.abort()).once("error", () => ended.abort());
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (chunk) => (this.#output = (this.#output + chunk).slice(-OUTPUT_LENGTH)));
      }
      while (!ended.signal.aborted && performance.now() < until) {
        if (await canConnect(port)) return;
        await pause(50);
      }
      await pause(200);
    }
    throw new Error(`${file} did not start:\n${this.#output}`);
  }

  /** SIGKILL to all at once. Resolves once the first of them is gone, and nobody listens any more. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Ends it in its own way, and kills it when it takes too long. */
  async stop() {
    running.delete(this);
    const timer = setTimeout(() => this.signal("SIGKILL"), 5_000);
    await this.#end(this.#command.endSignal ?? "SIGTERM");
    clearTimeout(timer);
  }

  /** @param {NodeJS.Signals} name `SIGSTOP` and `SIGCONT`, too */
  signal(name) {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    // A server that can end by itself is told so alone, and ends its own children.
    for (const each of TO_ALL.includes(name) ? family(pid) : [pid]) {
      try {
        process.kill(each, name);
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** @param {NodeJS.Signals} name */
  async #end(name) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    this.signal(name);
    await exit;
    while (await canConnect(this.#command.port)) await pause(10);
  }
}

/**
 * A process and all below it, the process first.
 *
 * @param {number} pid
 */
function family(pid) {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found) for (const [child, ppid] of pairs) if (ppid === parent) found.push(child);
  return found;
}

exports.Daemon = Daemon;
