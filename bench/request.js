/** A delivery as octets on the wire, with the fields that GitHub sends. */
const { randomUUID } = require("node:crypto");

const FIELDS = {
  Host: "127.0.0.1",
  "User-Agent": "GitHub-Hookshot/044aadd",
  Accept: "*/*",
  "Content-Type": "application/json",
  "X-GitHub-Event": "release",
  "X-GitHub-Hook-ID": "292430182",
  "X-GitHub-Hook-Installation-Target-ID": "79929171",
  "X-GitHub-Hook-Installation-Target-Type": "repository",
};

/**
 * @param {Buffer} body
 * @param {Record<string, string | number>} [fields] beside those of every delivery, or instead of them
 * @param {string} [method]
 * @returns {Buffer}
 */
function request(body, fields = {}, method = "POST") {
  const all = { ...FIELDS, "X-GitHub-Delivery": randomUUID(), "Content-Length": body.length, ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} /in HTTP/1.1\r\n${lines.join("")}\r\n`), body]);
}

module.exports = { request };
