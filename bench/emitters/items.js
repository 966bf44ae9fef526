/** What is handed over: to an emitter a message as a node makes it, to a raw client its octets and an id. */
const { createHash, randomFillSync } = require("node:crypto");
const { PAYLOADS } = require("../payloads");
const { attributesOf } = require("express-webhook-node/emit/attributes");

/** @typedef {import("express-webhook-node").Message} Message */

/**
 * @typedef {object} Item
 * @property {string} id as long as a message's key, and made already
 * @property {Buffer} octets
 * @property {string} body the octets as text
 */

const CONTENT_TYPE = "application/json; charset=utf-8";
const FIELDS = Object.freeze({
  "x-github-event": "push",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
});
const SENDER = Object.freeze({ name: "github", scopes: Object.freeze([]) });

const ID_BYTES = 32;
const pool = Buffer.alloc(1024 * ID_BYTES);
let next = pool.length;

/** Makes the items of one body. No two have the same id, so no broker takes two for one. */
class Maker {
  /** @param {string} name of a payload */
  constructor(name) {
    this.octets = PAYLOADS[name];
    this.body = this.octets.toString();
    this.payload = JSON.parse(this.body);
  }

  /** @returns {Item} */
  item() {
    return { id: nextId(), octets: this.octets, body: this.body };
  }

  /**
   * The key is hashed here, for a node's message hashes it when the emitter asks.
   *
   * @returns {Message}
   */
  message() {
    const { octets, body, payload } = this;
    const deliveryId = nextId().slice(-36);
    return Object.freeze({
      trackingId: deliveryId.slice(-32),
      key: createHash("sha256").update(`${deliveryId}\n`).update(octets).digest("hex"),
      node: "bench",
      source: "github",
      body,
      octets,
      payload,
      messageType: "echo.json",
      receivedAt: new Date(),
      mediaType: "application/json",
      contentType: CONTENT_TYPE,
      sender: SENDER,
      deliveryId,
      eventType: "push",
      fields: FIELDS,
    });
  }
}

/** 64 hex digits at random, as a key has: ids in order would spare the index of a database most of its work. */
function nextId() {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += ID_BYTES;
  return pool.toString("hex", next - ID_BYTES, next);
}

/** What an emitter tells beside the octets, by values that are ready: a raw client, too, sends as much with each. */
const TOLD = Object.freeze({
  contentType: CONTENT_TYPE,
  fields: FIELDS,
  attributes: attributesOf(new Maker("1 KB").message()),
});

module.exports = { Maker, TOLD };
