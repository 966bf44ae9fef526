/**
 * Receives GitHub's webhooks: one endpoint for your own repositories, and one for each of your partners'.
 *
 *     GITHUB_SECRET=... node examples/github.js
 */
const express = require("express");
const { createWebhookNode, hmacAuthenticator } = require("express-webhook-node");

/** GitHub signs the body in a header field: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
function githubAuthenticator(secrets) {
  return hmacAuthenticator({ name: "github", header: "X-Hub-Signature-256", prefix: "sha256=", secrets });
}

/** @param {{ secret: string | undefined, partners?: Map<string, string>, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ secret, partners = new Map(), emitter, logger }) {
  const app = express();

  app.use(
    "/webhooks/github",
    createWebhookNode({
      name: "github",
      authenticator: githubAuthenticator([secret]),
      fields: ["x-github-event", "x-github-delivery"],
      emitter,
      logger,
    }),
  );

  // Each partner has a secret of its own. One that is not known has none, and is refused.
  app.use(
    "/partners/:partner/github",
    createWebhookNode({
      name: "partners",
      authenticator: githubAuthenticator(({ params }) => {
        const partnerSecret = partners.get(params.partner);
        return partnerSecret ? [partnerSecret] : [];
      }),
      fields: ["x-github-event", "x-github-delivery"],
      emitter,
      logger,
    }),
  );

  // The rest of the app has its own body parser, below the nodes.
  app.use(express.json());
  app.get("/", (req, res) => res.type("text").send("Send webhooks to /webhooks/github\n"));
  return app;
}

module.exports = { createApp };

if (require.main === module) {
  const app = createApp({
    secret: process.env.GITHUB_SECRET,
    // Here the message would go to a queue. The sender has its 200 once this promise resolves.
    emitter: async ({ trackingId, fields, octets }) => {
      console.log(trackingId, fields["x-github-event"], octets.length);
    },
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/github"));
}
