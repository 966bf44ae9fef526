/**
 * Tracking ids: 32 hex digits of a random number generator for secrets, drawn from a pool because each draw costs.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";

const ID_BYTES = 16;
const pool = Buffer.alloc(256 * ID_BYTES);
let next = pool.length;

/** A new tracking id: 128 random bits. */
export function trackingId(): string {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += ID_BYTES;
  return pool.toString("hex", next - ID_BYTES, next);
}
