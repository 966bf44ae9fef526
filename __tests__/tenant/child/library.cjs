/** A child process that holds function libraries, and does what its parent asks for. */
const { writeFileSync } = require("node:fs");
const http = require("node:http");
const express = require("express");
const { createWebhookNode } = require("../../../lib/index");
const { createFunctionLibrary } = require("../../../lib/tenant/functions");
const { forgetModules, reloadModule } = require("../../../lib/tenant/load-module");

const libraries = new Map();

/** What can be asked for, by name. Each is given the library of the request's `id`, and the arguments. */
const CAN = {
  create(_, { id, ...options }) {
    const lines = [];
    const at = (level) => (line, error) =>
      void lines.push(`${level}: ${line}${error instanceof Error ? ` | ${error.message}` : ""}`);
    const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    libraries.set(id, { lines, library: createFunctionLibrary({ ...options, logger }) });
  },
  state: ({ library, lines }) => ({ list: library.list(), lines }),
  call: ({ library }, name, ...args) => library.get(name)(...args),
  /** Makes an authenticator of a function, as a node that uses it does. */
  use: ({ library }, name) => void library.authenticator(name, { config: {} }),
  async serve(held, name) {
    const context = { config: {} };
    const node = createWebhookNode({
      authenticator: held.library.authenticator(name, context),
      emitter: async () => {},
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    const server = http.createServer(express().use("/", node));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    held.server = server;
    return server.address().port;
  },
  close({ library, server }) {
    library.close();
    server?.closeAllConnections();
    server?.close();
  },
  /** Loads a module many times, and tells by how many bytes the heap grows from the middle to the end. */
  async reload(_, { file, folder, times, change, also, isNaive = false }) {
    const load = isNaive ? naively : (path) => reloadModule(path).exports;
    let before = 0;
    for (let version = 0; version < times; version++) {
      if (version === times / 2) before = await heapUsed();
      // Each version has a weight, so that one that is kept is seen.
      writeFileSync(
        change,
        `exports.padding = ${JSON.stringify(`${version},`.repeat(10_000))}; exports.version = ${version};`,
      );
      if (!isNaive) forgetModules(new Set([change]), folder);
      const loaded = load(file, change)();
      if (also !== undefined) require(also)();
      if (loaded !== version) throw new Error(`version ${loaded} was loaded, not ${version}`);
    }
    return (await heapUsed()) - before;
  },
};

/** Reloads as is often advised. */
function naively(...files) {
  for (const file of files) delete require.cache[file];
  return require(files[0]);
}

async function heapUsed() {
  for (let times = 0; times < 3; times++) {
    globalThis.gc();
    // Some of what is let go of goes when the turn is over.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function answer({ request, id, ask, args }) {
  try {
    process.send({ request, result: await CAN[ask](libraries.get(id), ...args) });
  } catch (error) {
    process.send({ request, error: { name: error.name, message: error.message } });
  }
}

process.on("message", (message) => void answer(message));
process.on("disconnect", () => process.exit());
