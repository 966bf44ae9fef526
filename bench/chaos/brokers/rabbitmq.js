/** A RabbitMQ server beside others on the same machine: with an Erlang of its own, in a folder of its own. */
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");
const { Daemon } = require("../daemon");
const { freePort } = require("../ports");

/** @param {{ folder: string, port: number, file: string }} settings */
async function startRabbit({ folder, port, file }) {
  const epmd = await startEpmd(folder);
  await writeFile(join(folder, "rabbitmq.conf"), `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file = false\n`);
  await writeFile(join(folder, "enabled_plugins"), "[].\n");
  const env = await environment(folder, epmd.port);
  // Asked to end, the script would start another Erlang to tell the server.
  const daemon = new Daemon({ file, args: [], port, cwd: folder, endSignal: "SIGKILL", env });
  await daemon.start();
  return { daemon, close: () => epmd.daemon.stop() };
}

/**
 * Erlang's nodes find each other by a daemon: one of our own, on a port of its own, leaves the machine's alone.
 *
 * @param {string} cwd
 */
async function startEpmd(cwd) {
  const port = await freePort();
  const daemon = new Daemon({ file: "epmd", args: ["-port", `${port}`, "-address", "127.0.0.1"], port, cwd });
  await daemon.start();
  return { daemon, port };
}

/**
 * @param {string} folder
 * @param {number} epmdPort
 */
async function environment(folder, epmdPort) {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_NODENAME: `chaos${epmdPort}@localhost`,
    RABBITMQ_DIST_PORT: `${await freePort()}`,
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
}

module.exports = { startRabbit };
