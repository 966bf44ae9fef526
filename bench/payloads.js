/** Bodies to send: events as GitHub publishes them, and one made of many of them, just under the limit. */
const zlib = require("node:zlib");
/** @type {any} */
const definitions = require("@octokit/webhooks-examples");

/** @type {Record<string, (octets: Buffer) => Buffer>} */
const CODE = {
  identity: (octets) => octets,
  gzip: (octets) => zlib.gzipSync(octets),
  deflate: (octets) => zlib.deflateSync(octets),
  // Quality 4 is what a sender that compresses while it sends can afford.
  br: (octets) => zlib.brotliCompressSync(octets, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
};

/** @type {readonly Buffer[]} */
const EVENTS = definitions
  .flatMap(({ examples }) => examples)
  .map((example) => Buffer.from(JSON.stringify(example)))
  .sort((a, b) => a.length - b.length);

/** @param {number} bytes */
function nearest(bytes) {
  return EVENTS.reduce((best, event) =>
    Math.abs(event.length - bytes) < Math.abs(best.length - bytes) ? event : best,
  );
}

/**
 * A list of events with as many octets as asked for, or a little less.
 *
 * @param {number} bytes
 */
function listOf(bytes) {
  const items = [];
  let length = 2;
  for (let at = 0; ; at = (at + 37) % EVENTS.length) {
    length += EVENTS[at].length + 1;
    if (length > bytes) return Buffer.from(`[${items.join(",")}]`);
    items.push(EVENTS[at]);
  }
}

/** @type {Record<string, Buffer>} */
const PAYLOADS = {
  "1 KB": nearest(1024),
  "8 KB": nearest(8192),
  "25 KB": nearest(25_000),
  "27 KB, the largest": EVENTS[EVENTS.length - 1],
  "900 KB": listOf(900_000),
  "1 MiB, just under the limit": listOf(1_048_576),
};

module.exports = { CODE, PAYLOADS };
