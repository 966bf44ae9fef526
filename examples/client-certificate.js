/**
 * Lets in senders by their TLS client certificates: those that your own authority has issued, each by its name.
 *
 *     KEY=server.key CERT=server.crt CA=clients.crt node examples/client-certificate.js
 *
 * Behind a proxy that ends TLS, it is the proxy that has to ask for the certificate.
 */
const { readFileSync } = require("node:fs");
const { createServer } = require("node:https");
const { TLSSocket } = require("node:tls");
const express = require("express");
const { AuthCredentials, createWebhookNode, HTTPException, SimpleUser } = require("express-webhook-node");

/**
 * Senders by the common name of their certificate, each with its scopes.
 *
 * @param {ReadonlyMap<string, readonly string[]>} senders
 * @returns {import("express-webhook-node").Authenticator}
 */
function certificateAuthenticator(senders) {
  return function certificateAuthenticator({ request }) {
    const { socket } = request;
    // `authorized` is Node's own verdict: the chain ends at an authority of ours, and no certificate of it has expired.
    if (!(socket instanceof TLSSocket) || !socket.authorized) {
      throw new HTTPException(401, { detail: "A client certificate of a known authority is needed." });
    }
    // A certificate with several names has them in a list, which is not on ours.
    const name = String(socket.getPeerCertificate().subject?.CN);
    const scopes = senders.get(name);
    if (!scopes) throw new HTTPException(403, { detail: "The certificate is good, and its name is not on the list." });
    return [new AuthCredentials(scopes), new SimpleUser(name)];
  };
}

/** @param {{ senders: ReadonlyMap<string, readonly string[]>, emitter: import("express-webhook-node").Emitter, logger?: import("express-webhook-node").Logger }} options */
function createApp({ senders, emitter, logger }) {
  const app = express();
  app.use(
    "/webhooks/partners",
    createWebhookNode({ name: "partners", authenticator: certificateAuthenticator(senders), emitter, logger }),
  );
  app.get("/", (req, res) => res.type("text").send("Send webhooks to /webhooks/partners\n"));
  return app;
}

/** @param {import("express").Express} app @param {{ key: string | Buffer, cert: string | Buffer, ca: string | Buffer }} files */
function createSecureServer(app, { key, cert, ca }) {
  // Who has no certificate may still knock: the rest of the app is open, and the node says what is missing.
  return createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, app);
}

module.exports = { certificateAuthenticator, createApp, createSecureServer };

if (require.main === module) {
  const app = createApp({
    senders: new Map([["shop", ["orders:write"]]]),
    emitter: async (message) => console.log(message.sender?.name, message.payload),
  });
  const [key, cert, ca] = ["KEY", "CERT", "CA"].map((name) => readFileSync(String(process.env[name])));
  createSecureServer(app, { key, cert, ca }).listen(3443, () =>
    console.log("https://localhost:3443/webhooks/partners"),
  );
}
