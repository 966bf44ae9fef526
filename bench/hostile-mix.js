/** A hundred requests, thirty of them to be refused: at eleven places in turn, from the method to the depth. */
const zlib = require("node:zlib");
const { LIMIT_BYTES } = require("./limits");
const { CODE, PAYLOADS } = require("./payloads");
const { request } = require("./request");
const { signGithub } = require("./signing");

/** @typedef {import("./connection").Request} Request */

const GOOD = PAYLOADS["8 KB"];
const ZEROS = Buffer.alloc(100 * LIMIT_BYTES);
const GZIP_BOMB = zlib.gzipSync(ZEROS);
const BROTLI_BOMB = zlib.brotliCompressSync(ZEROS, { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 22 } });
const SYNTAX = Buffer.from(`${GOOD.toString().slice(0, -1)},}`);
const DEEP = Buffer.from("[".repeat(100_000) + "]".repeat(100_000));
const TOO_LARGE = ZEROS.subarray(0, LIMIT_BYTES + 1);
const NOT_UTF8 = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), GOOD.subarray(1)]);
const DAMAGED = CODE.gzip(GOOD).subarray(0, 700);

/**
 * @param {Buffer} octets
 * @param {Record<string, string>} [fields]
 */
const signed = (octets, fields = {}) => request(octets, { ...signGithub(octets), ...fields });

/** @returns {Request[]} */
function refused() {
  return [
    { octets: request(GOOD, {}, "PUT") },
    { octets: request(GOOD, { "Content-Type": "text/plain" }) },
    { octets: request(GOOD, { "Content-Encoding": "compress" }) },
    { octets: request(TOO_LARGE) },
    { octets: request(GZIP_BOMB, { "Content-Encoding": "gzip", ...signGithub(GOOD) }) },
    { octets: request(BROTLI_BOMB, { "Content-Encoding": "br", ...signGithub(GOOD) }) },
    { octets: request(DAMAGED, { "Content-Encoding": "gzip", ...signGithub(GOOD) }) },
    { octets: request(GOOD, signGithub(SYNTAX)) },
    { octets: signed(NOT_UTF8) },
    { octets: signed(SYNTAX) },
    { octets: signed(DEEP) },
  ];
}

/**
 * One that is refused among every few that are not.
 *
 * @returns {Request[]}
 */
function hostileMix() {
  const good = [
    { octets: signed(GOOD) },
    { octets: request(CODE.gzip(GOOD), { "Content-Encoding": "gzip", ...signGithub(GOOD) }) },
  ];
  const bad = refused();
  return Array.from({ length: 100 }, (_, at) =>
    at % 10 < 3 ? bad[(3 * Math.floor(at / 10) + (at % 10)) % bad.length] : good[at % 2],
  );
}

module.exports = { BROTLI_BOMB, GZIP_BOMB, hostileMix };
