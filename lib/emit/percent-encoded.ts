/**
 * Values of CloudEvents in header fields: HTTP binding 1.0.2, section 3.1.3.2, and the NATS binding 1.0.3, which has the same.
 *
 * @module
 */

/** All but printable ASCII, and of that space, `"` and `%`. */
const TO_ENCODE = /[^!#$&-~]+/g;

/** Writes a value for a header field. A lone surrogate is U+FFFD. */
export function percentEncoded(value: string): string {
  return value.replace(TO_ENCODE, (run) => Buffer.from(run).toString("hex").toUpperCase().replace(/../g, "%$&"));
}
