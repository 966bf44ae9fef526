/**
 * Uses the steps one at a time, in a route of the app's own, with a handler of its own among them.
 *
 *     node examples/single-steps.js
 */
const express = require("express");
const { contentTypeGate } = require("express-webhook-node/accept/content-type-gate");
const { decompress } = require("express-webhook-node/accept/decompress");
const { authenticate } = require("express-webhook-node/authenticate");
const { AuthCredentials, SimpleUser } = require("express-webhook-node/authenticate/credentials");
const { HTTPException } = require("express-webhook-node/authenticate/http-exception");
const { emit } = require("express-webhook-node/emit");
const { jsonPayload } = require("express-webhook-node/emit/json-payload");
const { problem } = require("express-webhook-node/problem");
const { delivery } = require("express-webhook-node/request/delivery");

/** @param {{ token: string, emitter: import("express-webhook-node").Emitter }} options */
function createApp({ token, emitter }) {
  const app = express();

  const sensors = authenticate({
    authenticator: ({ request }) => {
      if (request.get("x-token") !== token) throw new HTTPException(401, { detail: "Bad token" });
      return [new AuthCredentials(["push"]), new SimpleUser("sensor")];
    },
  });

  // All steps, and one of the app's own: a reading must have a value.
  app.post(
    "/readings",
    contentTypeGate(),
    decompress({ maxBytes: 16_384 }),
    sensors,
    jsonPayload(),
    (req, res, next) => (typeof req.body.value === "number" ? next() : res.status(422).json({ missing: "value" })),
    emit({ emitter }),
    problem(),
  );

  // No emitter at all: the app's own handler takes what was accepted and authenticated.
  app.post(
    "/size",
    contentTypeGate(),
    decompress(),
    sensors,
    (req, res, next) => {
      const answer = (octets) => res.json({ sender: req.user.displayName, octets: octets.length });
      void delivery(req).body.bytes().then(answer, next);
    },
    problem(),
  );
  return app;
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({ token: "secret", emitter: async (message) => console.log(message.payload) });
  app.listen(3000, () => console.log("http://localhost:3000/readings"));
}
