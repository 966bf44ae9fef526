/**
 * Nothing that was acknowledged is lost, and nothing is doubled, whatever breaks:
 * `npm run chaos -- <broker> [<broker> ...] [--deliveries 50000] [--short] [--control] [--deduplicate] [--verbose]`.
 *
 * It starts servers of its own, on ports and in folders of their own, and ends them by their pids. The exit status is 1 where
 * a promise is broken, and where the control, which acknowledges before the broker has confirmed, loses nothing: then all
 * else shows nothing either. `--control` runs the control alone, `--deduplicate` has the node remember in memory what it has
 * emitted. A broker that is not installed is skipped, unless the environment says `SERVICES=required`.
 */
const { execFileSync } = require("node:child_process");
const { parseArgs } = require("node:util");
const { NAMES, brokerOf } = require("./brokers");
const { broken, report } = require("./report");
const { run } = require("./run");

// Where Debian and Ubuntu keep servers. RabbitMQ's in /usr/sbin runs as a user of its own, who may not read our folder.
const POSTGRES = [14, 15, 16, 17, 18].map((version) => `/usr/lib/postgresql/${version}/bin`);
const PATH = ["/usr/lib/rabbitmq/bin", ...POSTGRES, process.env.PATH, "/usr/sbin"];

/**
 * The path of a program, if it is installed.
 *
 * @param {string} file
 */
function installed(file) {
  try {
    const env = { ...process.env, PATH: PATH.join(":") };
    return execFileSync("sh", ["-c", 'command -v "$0"', file], { encoding: "utf8", env }).trim();
  } catch {
    return undefined;
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      deliveries: { type: "string" },
      short: { type: "boolean", default: false },
      control: { type: "boolean", default: false },
      deduplicate: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0 || positionals.length === 0) {
    throw new TypeError(`Name brokers of these: ${NAMES.join(", ")}. Unknown: ${unknown.join(", ") || "-"}.`);
  }
  const { short, control } = values;
  const deliveries = Number(values.deliveries ?? (short ? 3_000 : 50_000));
  if (!Number.isSafeInteger(deliveries) || deliveries < 1_000) throw new TypeError("--deliveries: at least 1000.");
  /** @type {import("./run").Settings} */
  const settings = {
    deliveries,
    controlDeliveries: Math.max(1_000, Math.round(deliveries / 10)),
    kills: short ? 1 : 5,
    silenceMs: short ? 0 : 10_000,
    speedMs: short ? 0 : 4_000,
    limitMs: short ? 60_000 : 400_000,
    parts: control ? ["control"] : ["broker", "node", "control"],
    isDeduplicating: values.deduplicate,
    isVerbose: values.verbose,
  };

  for (const name of positionals) {
    const { file, title } = brokerOf(name);
    const path = installed(file);
    if (path === undefined) {
      console.log(`${name}: skipped, as ${file} is not installed.`);
      if (process.env.SERVICES === "required") process.exitCode = 1;
      continue;
    }
    const { results, speed } = await run(name, path, settings);
    console.log(report(`${name}: ${title}`, results, speed));
    for (const result of results) {
      for (const reason of broken(result)) {
        console.log(`BROKEN: ${name}, ${result.part}: ${reason}.`);
        process.exitCode = 1;
      }
    }
    console.log();
  }
}

// What ends this process ends its servers, too.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
main().then(
  () => process.exit(),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
