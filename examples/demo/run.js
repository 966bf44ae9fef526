/**
 * Delivers every payload that GitHub publishes as an example to `examples/github.js`, signed and compressed, then one of
 * each thing that must be refused, and then as other providers do. It exits with 1 on any surprise.
 *
 *     npm run demo
 */
const { once } = require("node:events");
const { mkdtemp, rm, writeFile } = require("node:fs/promises");
const http = require("node:http");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const zlib = require("node:zlib");
/** @type {any} */
const definitions = require("@octokit/webhooks-examples");
const express = require("express");
const { createFunctionLibrary, createTenant, createWebhookNode } = require("express-webhook-node");
const { createApp } = require("../github");
const { deliverAsProviders } = require("./providers");

const SECRET = "It's a Secret to Everybody";
const PARTNER_SECRET = "hush";
/** @type {Record<string, (octets: Buffer) => Buffer>} */
const CODINGS = {
  identity: (octets) => octets,
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function main() {
  const { sign } = await import("@octokit/webhooks-methods");
  const received = new Map();
  const app = createApp({
    secret: SECRET,
    partners: new Map([["acme", PARTNER_SECRET]]),
    emitter: async (message) => void received.set(message.trackingId, message),
    logger: quiet,
  });
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

  const surprises = [];
  let delivered = 0;
  row("event", "coding", "on wire", "decoded", "status", "tracking id");
  for (const [index, { name, payload }] of deliveries().entries()) {
    const octets = Buffer.from(JSON.stringify(payload));
    const [coding, code] = Object.entries(CODINGS)[index % 4];
    const [path, secret] = index % 8 < 4 ? ["/webhooks/github", SECRET] : ["/partners/acme/github", PARTNER_SECRET];
    const body = code(octets);
    const { status, json } = await exchange(port, path, {
      headers: { ...githubFields(name, index), ...signed(await sign(secret, octets.toString())), ...coded(coding) },
      body,
    });
    const message = received.get(json?.trackingId);
    row(name, coding, body.length, octets.length, status, json?.trackingId ?? json?.detail);
    if (status !== 200) surprises.push(`${name} was refused with ${status}`);
    else if (!message?.octets.equals(octets)) surprises.push(`${name} did not arrive as it was sent`);
    else delivered++;
  }

  const before = received.size;
  let refused = 0;
  console.log();
  row("to be refused", "coding", "on wire", "expected", "status", "reason");
  for (const { what, expected, method, headers, body } of await refusals(sign)) {
    const { status, json } = await exchange(port, "/webhooks/github", { method, headers, body });
    row(what, headers["content-encoding"] ?? "identity", body?.length ?? 0, expected, status, json?.code);
    if (status === expected) refused++;
    else surprises.push(`${what} got ${status} instead of ${expected}`);
  }
  if (received.size !== before) surprises.push(`${received.size - before} messages came of what was to be refused`);

  console.log();
  row("other providers", "coding", "on wire", "decoded", "status", "told");
  const others = await deliverAsProviders(row);
  delivered += others.delivered;
  refused += others.refused;
  surprises.push(...others.surprises, ...(await swap()));

  server.close();
  server.closeAllConnections();
  console.log();
  for (const surprise of surprises) console.log(`surprise: ${surprise}`);
  console.log(`${delivered} delivered, ${refused} refused, ${surprises.length} surprises`);
  if (surprises.length > 0) process.exitCode = 1;
}

/** Delivers, changes the authenticator's file, and delivers again: the next request meets the new function. */
async function swap() {
  const folder = await mkdtemp(join(tmpdir(), "functions-"));
  const write = (name) =>
    writeFile(
      join(folder, "verify.js"),
      `module.exports = () => [{ scopes: [] }, { isAuthenticated: true, displayName: "${name}" }];`,
    );
  await write("before");
  const functions = createFunctionLibrary({ folder, watch: true, logger: quiet });
  const tenant = createTenant({ name: "demo", functions });
  const senders = [];
  const emitter = async (message) => void senders.push(message.sender?.name);
  const app = express().use(createWebhookNode({ tenant, authenticator: "verify", emitter, logger: quiet }));
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const deliver = () =>
    exchange(port, "/", { headers: { "content-type": "application/json" }, body: Buffer.from("{}") });

  await deliver();
  await write("after");
  const until = Date.now() + 5000;
  while (functions.list()[0].version < 2 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  await deliver();

  await tenant.close();
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
  console.log(`\na function swapped while the server runs: ${senders.join(", then ")}`);
  return senders.join() === "before,after" ? [] : [`the swapped function was not met: ${senders.join()}`];
}

function deliveries() {
  return definitions.flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));
}

async function refusals(sign) {
  const octets = Buffer.from('{"zen":"Keep it logically awesome."}');
  const fields = async (body) => ({ ...githubFields("ping", 0), ...signed(await sign(SECRET, body.toString())) });
  const good = await fields(octets);
  const broken = Buffer.from('{"zen":');
  const damaged = zlib.gzipSync(octets);
  damaged[damaged.length - 6] ^= 0xff;
  return [
    {
      what: "wrong signature",
      expected: 401,
      headers: { ...good, ...signed(await sign("guess", "{}")) },
      body: octets,
    },
    { what: "text/plain", expected: 415, headers: { ...good, "content-type": "text/plain" }, body: octets },
    { what: "unknown coding", expected: 415, headers: { ...good, "content-encoding": "compress" }, body: octets },
    { what: "damaged gzip", expected: 400, headers: { ...good, ...coded("gzip") }, body: damaged },
    {
      what: "64 MiB bomb",
      expected: 413,
      headers: { ...good, ...coded("gzip") },
      body: zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024)),
    },
    { what: "broken JSON", expected: 400, headers: await fields(broken), body: broken },
    { what: "GET", expected: 405, method: "GET", headers: {} },
  ];
}

function githubFields(event, index) {
  return {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  };
}

const signed = (signature) => ({ "x-hub-signature-256": signature });
const coded = (coding) => (coding === "identity" ? {} : { "content-encoding": coding });

const agent = new http.Agent({ keepAlive: true });

/** Sends one request, and reads its answer. */
function exchange(port, path, { method = "POST", headers, body }) {
  return new Promise((resolve, reject) => {
    const length = body ? { "content-length": body.length } : {};
    const request = http.request({ port, path, method, agent, headers: { ...headers, ...length } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode, json: JSON.parse(Buffer.concat(chunks).toString()) });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Text to the left of its column, numbers to the right. */
function row(what, coding, wire, decoded, status, told) {
  const left = [what.padEnd(28), coding.padEnd(8)];
  const right = [wire, decoded, status].map((cell) => String(cell).padStart(8));
  console.log([...left, ...right, told].join("  "));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
