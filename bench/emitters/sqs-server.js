/** An emulator of SQS. It ends with the process that has started it. */
const { once } = require("node:events");
const { createServer } = require("node:net");
const { createSqsServer } = require("local-aws-sqs");

/** The emulator does not take port 0. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}

async function main() {
  const port = await freePort();
  await createSqsServer({ port, hostname: "127.0.0.1" });
  process.send?.(port);
}

process.on("disconnect", () => process.exit());
void main();
