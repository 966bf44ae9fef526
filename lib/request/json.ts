/**
 * Text of a body to its value: bounded in depth before it is parsed. RFC 8259
 *
 * @module
 */
import { WebhookError } from "../errors";
import { isDeeperThan } from "./depth";

/** Parses the text that octets hold. @throws WebhookError `ERR_WEBHOOK_BODY_EMPTY`, `ERR_WEBHOOK_JSON_DEPTH`, `ERR_WEBHOOK_JSON`. */
export function parseJson(octets: Buffer, text: string, maxDepth: number): unknown {
  if (octets.length === 0) throw new WebhookError("ERR_WEBHOOK_BODY_EMPTY", "The body is empty; JSON was expected.");
  if (isDeeperThan(text, maxDepth)) {
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
