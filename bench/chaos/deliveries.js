/**
 * What the senders send. Most deliveries have an id and a body of their own; in each hundred one has the body of another
 * delivery, and one is an operator's redelivery, with the id of another delivery and a mended body. All of them are good, so
 * deduplication must lose none.
 */

/** @typedef {{ id: string, serial: number, identity: string }} Delivery */

const PERIOD = 100;
const SAME_BODY = 10;
const SAME_ID = 20;
const FILLING = "x".repeat(200);

/**
 * @param {number} n
 * @returns {Delivery}
 */
function delivery(n) {
  const id = `delivery-${n % PERIOD === SAME_ID ? n - 1 : n}`;
  const serial = n % PERIOD === SAME_BODY ? n - 1 : n;
  return { id, serial, identity: identityOf(id, serial) };
}

/**
 * What tells a delivery from all others: its id, and what it says.
 *
 * @param {string} id
 * @param {number} serial
 */
function identityOf(id, serial) {
  return `${id}/${serial}`;
}

/** @param {number} serial */
function bodyOf(serial) {
  return `{"serial":${serial},"filling":"${FILLING}"}`;
}

/**
 * The serial number of a body, or `undefined` if it is not, octet for octet, one that was sent.
 *
 * @param {Buffer} octets
 */
function serialOf(octets) {
  const text = octets.toString();
  const serial = Number(/^\{"serial":(\d+),/.exec(text)?.[1]);
  return text === bodyOf(serial) ? serial : undefined;
}

module.exports = { bodyOf, delivery, identityOf, serialOf };
