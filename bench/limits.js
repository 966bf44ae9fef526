/** What all servers here have in common, so that they can be compared. */

/** The largest body that any of them takes, in bytes: this package's own default. */
const LIMIT_BYTES = 1_048_576;

/** What deliveries are signed with: one secret, in the form that each provider gives it out. */
const SECRET = "It's a Secret to Everybody";
const STRIPE_SECRET = `whsec_${SECRET}`;
const STANDARD_SECRET = `whsec_${Buffer.from(SECRET).toString("base64")}`;

module.exports = { LIMIT_BYTES, SECRET, STANDARD_SECRET, STRIPE_SECRET };
