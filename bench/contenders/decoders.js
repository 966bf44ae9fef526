/** Codings undone in one shot, within the limit: for contenders that are written by hand. */
const zlib = require("node:zlib");
const { LIMIT_BYTES } = require("../limits");

const options = { maxOutputLength: LIMIT_BYTES };
/** @type {Record<string, (octets: Buffer) => Buffer>} */
const DECODERS = {
  identity: (octets) => octets,
  gzip: (octets) => zlib.gunzipSync(octets, options),
  deflate: (octets) => zlib.inflateSync(octets, options),
  br: (octets) => zlib.brotliDecompressSync(octets, options),
};

module.exports = { DECODERS };
