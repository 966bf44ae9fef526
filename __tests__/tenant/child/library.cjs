/** A child process that holds function libraries, and does what its parent asks for. */
const http = require("node:http");
const express = require("express");
const { createWebhookNode } = require("../../../lib/index");
const { createFunctionLibrary } = require("../../../lib/tenant/functions");
const { forgetModules, loadModule } = require("../../../lib/tenant/load-module");

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
  /** Loads a module many times, and tells the heap's growth in bytes from the middle to the end. */
  reload(_, { file, folder, times, change }) {
    const { writeFileSync } = require("node:fs");
    const used = () => {
      globalThis.gc();
      globalThis.gc();
      return process.memoryUsage().heapUsed;
    };
    let before = 0;
    for (let count = 0; count < times; count++) {
      if (count === times / 2) before = used();
      writeFileSync(
        change,
        `${"// padding, so that each version has a weight\n".repeat(1000)}exports.version = ${count};`,
      );
      forgetModules(new Set([change]), folder);
      const { exports } = loadModule(file);
      if (exports() !== count) throw new Error(`version ${exports()} was loaded, not ${count}`);
    }
    return used() - before;
  },
};

process.on("message", async ({ request, id, ask, args }) => {
  try {
    process.send({ request, result: await CAN[ask](libraries.get(id), ...args) });
  } catch (error) {
    process.send({ request, error: { name: error.name, message: error.message } });
  }
});
process.on("disconnect", () => process.exit());
