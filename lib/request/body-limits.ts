/**
 * What bounds a body, and what is refused by its declared length.
 *
 * @module
 */
import { tooLarge } from "./arrival";
import type { ContentCoding } from "./content-coding";
import type { Framing } from "./field-lines";

/** What bounds the reading of a body. */
export type BodyLimits = {
  /** Largest body with its codings undone, in bytes. */
  readonly maxBytes: number;
  /** Largest body as sent, in bytes. */
  readonly maxEncodedBytes: number;
  /** Deepest nesting of JSON. */
  readonly maxDepth: number;
};

export const DEFAULT_LIMITS: BodyLimits = { maxBytes: 1_048_576, maxEncodedBytes: 1_048_576 + 65_536, maxDepth: 128 };

/** The largest body let in as sent: a coded one may be a little larger than what comes out, where nothing compresses. */
export function maxSentBytes(limits: BodyLimits, codings: readonly ContentCoding[]): number {
  return codings.length === 0 ? Math.min(limits.maxBytes, limits.maxEncodedBytes) : limits.maxEncodedBytes;
}

/** Refuses by the declared length, before an octet is read. @throws WebhookError `ERR_WEBHOOK_BODY_TOO_LARGE`. */
export function refuseDeclared(framing: Framing, maxBytes: number): void {
  if (framing !== "chunked" && framing !== "none" && framing.declaredBytes > maxBytes) throw tooLarge(maxBytes);
}
