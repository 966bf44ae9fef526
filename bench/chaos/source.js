/** The source of the senders: a token in a header field, and the delivery's id in another. */
const { HTTPException } = require("express-webhook-node");
const { defineSource } = require("express-webhook-node/sources/define-source");

const TOKEN = "chaos-0123456789";

const source = defineSource({
  name: "chaos",
  verify({ request }) {
    if (request.headers["x-token"] !== TOKEN) throw new HTTPException(401, { detail: "X-Token does not match" });
  },
  deliveryId: ({ request }) => /** @type {string} */ (request.headers["x-delivery"]),
});

module.exports = { TOKEN, source };
