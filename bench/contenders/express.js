/** Express as it is used without this package: its own parser, with the answer written plainly or by `res.json()`. */
const { randomUUID } = require("node:crypto");
const express = require("express");
const { LIMIT_BYTES } = require("../limits");

/** @typedef {import("node:http").ServerResponse} Response */

/** @param {Response} response */
function answerPlainly(response) {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ trackingId: randomUUID() }));
}

/**
 * Answers what a parser or a verifier refused. Express's own handler would print a stack for each.
 *
 * @param {{ status?: number, message: string }} error
 * @param {express.Request} _request
 * @param {express.Response} response
 * @param {unknown} _next by which Express knows an error handler
 */
function refuse(error, _request, response, _next) {
  response.status(error.status ?? 500).json({ error: error.message });
}

/**
 * @param {express.RequestHandler[]} handlers
 * @returns {express.Express}
 */
function appOf(...handlers) {
  const app = express();
  app.post("/in", ...handlers);
  app.use(refuse);
  return app;
}

/** The parser, and the answer written as this package writes it. */
const parsed = () =>
  appOf(express.json({ limit: LIMIT_BYTES }), (_request, response) => {
    answerPlainly(response);
  });

/** The parser, and the answer as most write it. */
const parsedAndJson = () =>
  appOf(express.json({ limit: LIMIT_BYTES }), (_request, response) => {
    response.json({ trackingId: randomUUID() });
  });

/** What Express costs when nobody reads the body. */
const floor = () =>
  appOf((_request, response) => {
    answerPlainly(response);
  });

module.exports = { answerPlainly, appOf, floor, parsed, parsedAndJson };
