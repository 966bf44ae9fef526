/** Inputs: what is sent, under the name that the tables give it. */
const { CODE, PAYLOADS } = require("./payloads");
const { request } = require("./request");

/** @typedef {import("./connection").Request} Request */

/**
 * @typedef {object} Input
 * @property {string} name
 * @property {() => readonly Request[]} requests made anew for each batch, for a signature holds for minutes only
 * @property {(status: number) => boolean} isExpected whether a server may answer so: a wrong answer is no measurement
 * @property {number} [connections] 50 unless told
 */

/** @param {number} status */
const isSuccess = (status) => status === 200;

/**
 * @param {string} size one of the payloads
 * @param {string} coding
 * @param {{ sign?: import("./signing").Sign, fields?: Record<string, string> }} [options]
 * @returns {Input}
 */
function input(size, coding, { sign = () => ({}), fields = {} } = {}) {
  const octets = PAYLOADS[size];
  const body = CODE[coding](octets);
  const coded = coding === "identity" ? {} : { "Content-Encoding": coding };
  return {
    name: `${size} ${coding}`,
    requests: () => [{ octets: request(body, { ...coded, ...sign(octets), ...fields }) }],
    isExpected: isSuccess,
  };
}

/**
 * @param {Record<string, readonly string[]>} codings by size
 * @returns {readonly Input[]}
 */
function matrix(codings) {
  return Object.entries(codings).flatMap(([size, list]) => list.map((coding) => input(size, coding)));
}

const QUICK = {
  "1 KB": ["identity"],
  "8 KB": ["identity", "gzip"],
  "25 KB": ["identity"],
  "900 KB": ["identity", "gzip"],
};

const FULL = {
  "1 KB": ["identity", "gzip"],
  "8 KB": ["identity", "gzip", "deflate", "br"],
  "25 KB": ["identity", "gzip", "deflate", "br"],
  "27 KB, the largest": ["identity", "gzip"],
  "900 KB": ["identity", "gzip", "deflate", "br"],
  "1 MiB, just under the limit": ["identity"],
};

module.exports = { FULL, QUICK, input, matrix };
