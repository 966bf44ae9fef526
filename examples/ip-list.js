/**
 * Lets in deliveries from a provider's own networks alone, and then by their signature.
 *
 * An address by itself proves little: it is a second lock, before the first one costs anything.
 *
 *     WEBHOOK_SECRET=... node examples/ip-list.js
 */
const { BlockList, isIP } = require("node:net");
const express = require("express");
const { allOf, AuthCredentials, createWebhookNode, HTTPException, SimpleUser } = require("express-webhook-node");
const { hubSignatureAuthenticator } = require("express-webhook-node/authenticate/hub-signature");

/**
 * Networks as providers publish them, such as `192.0.2.0/24` and `2001:db8::/32`.
 *
 * @param {string} name
 * @param {readonly string[]} networks
 * @returns {import("express-webhook-node").Authenticator}
 */
function networkAuthenticator(name, networks) {
  const list = new BlockList();
  for (const network of networks) {
    const [, address, prefix] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(network) ?? [];
    if (!address) throw new TypeError(`${network} is not a network, such as 192.0.2.0/24.`);
    list.addSubnet(address, Number(prefix), familyOf(address));
  }

  return function networkAuthenticator({ request }) {
    // Express tells the client's address by the app's own "trust proxy": never read X-Forwarded-For yourself.
    const { ip = "" } = request;
    if (isIP(ip) === 0 || !list.check(ip, familyOf(ip))) {
      throw new HTTPException(403, { detail: `Deliveries are taken from the networks of ${name} alone.` });
    }
    return [new AuthCredentials(), new SimpleUser(name)];
  };
}

/** @param {string} address */
function familyOf(address) {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/**
 * @param {object} options
 * @param {string | undefined} options.secret
 * @param {readonly string[]} options.networks
 * @param {unknown} [options.trustProxy] Your own proxies, if there are any: https://expressjs.com/en/guide/behind-proxies.html
 * @param {import("express-webhook-node").Emitter} options.emitter
 * @param {import("express-webhook-node").Logger} [options.logger]
 */
function createApp({ secret, networks, trustProxy = false, emitter, logger }) {
  const app = express();
  // With `true`, whoever sends could write any address into X-Forwarded-For. Name your proxies.
  app.set("trust proxy", trustProxy);
  app.use(
    "/webhooks/provider",
    createWebhookNode({
      // The address first: it costs nothing, and no octet of the body is read.
      authenticator: allOf(
        networkAuthenticator("provider", networks),
        hubSignatureAuthenticator({ name: "provider", secrets: [secret] }),
      ),
      emitter,
      logger,
    }),
  );
  return app;
}

module.exports = { createApp, networkAuthenticator };

if (require.main === module) {
  const app = createApp({
    secret: process.env.WEBHOOK_SECRET,
    networks: ["127.0.0.0/8", "::1/128"],
    emitter: async (message) => console.log(message.trackingId, message.payload),
  });
  app.listen(3000, () => console.log("http://localhost:3000/webhooks/provider"));
}
