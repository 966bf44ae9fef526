/**
 * Text of a body to its value: bounded in depth before it is parsed. RFC 8259
 *
 * @module
 */
import { WebhookError } from "../errors";
import { isDeeperThan } from "./depth";
import { isUtf8Compatible } from "./text";

export type JsonText = {
  readonly octets: Buffer;
  readonly text: string;
  /** The charset that the octets are in. @defaultValue `"utf-8"` */
  readonly charset: string | undefined;
  readonly maxDepth: number;
};

/** Parses JSON. @throws WebhookError `ERR_WEBHOOK_BODY_EMPTY`, `ERR_WEBHOOK_JSON_DEPTH`, `ERR_WEBHOOK_JSON`. */
export function parseJson({ octets, text, charset = "utf-8", maxDepth }: JsonText): unknown {
  if (octets.length === 0) throw new WebhookError("ERR_WEBHOOK_BODY_EMPTY", "The body is empty; JSON was expected.");
  // In other charsets, octets that look like brackets may be parts of characters.
  const scanned = isUtf8Compatible(charset) ? octets : Buffer.from(text);
  if (isDeeperThan(scanned, maxDepth)) {
    throw new WebhookError("ERR_WEBHOOK_JSON_DEPTH", `The JSON is nested deeper than ${maxDepth}.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new WebhookError("ERR_WEBHOOK_JSON", `The body is not JSON (RFC 8259)${positionOf(cause)}.`, { cause });
  }
}

/** Where the parser stopped, if Node's message tells: never what it found there. */
function positionOf(error: unknown): string {
  const at = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec((error as Error).message);
  return at ? `, at character ${Number(at[1]) + 1}` : "";
}
