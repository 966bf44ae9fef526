/**
 * The least that a router mounted in Express can do with a body: it is read in one go, inflated in one shot and parsed, and
 * nothing is checked. What a node costs above it are its checks, its message and its outcome.
 */
const { once } = require("node:events");
const express = require("express");
const { DECODERS } = require("./decoders");
const { answerPlainly } = require("./express");

/**
 * @param {express.Request} request
 * @returns {Promise<Buffer>}
 */
async function octetsOf(request) {
  if (request.readableLength === Number(request.headers["content-length"])) {
    const octets = /** @type {Buffer} */ (request.read());
    request.resume();
    return octets;
  }
  /** @type {Buffer[]} */
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  await once(request, "end");
  return Buffer.concat(chunks);
}

/**
 * @param {express.Request} request
 * @param {express.Response} response
 */
async function serve(request, response) {
  // Octets that came with the header section are there once the parser has returned.
  await Promise.resolve();
  const octets = await octetsOf(request);
  JSON.parse(DECODERS[request.headers["content-encoding"] ?? "identity"](octets).toString());
  answerPlainly(response);
}

function skeleton() {
  const router = express.Router({ mergeParams: true }).all("/", (request, response, next) => {
    serve(request, response).catch(next);
  });
  const app = express();
  app.use("/in", router);
  return app;
}

module.exports = { skeleton };
