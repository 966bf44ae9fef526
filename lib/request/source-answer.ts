/**
 * Makes an answer of what a source says of one.
 *
 * @module
 */
import type { Answer } from "./answer";
import type { SourceAnswer } from "./source";

const MAX_TEXT = 4096;

/** Makes an answer of what a source says of one. */
export function answerOf({ status = 200, headers, body, text }: SourceAnswer): Answer {
  if (text !== undefined) {
    return {
      status,
      headers: { "X-Content-Type-Options": "nosniff", ...headers },
      content: { type: "text/plain; charset=utf-8", text: text.slice(0, MAX_TEXT) },
    };
  }
  return { status, headers, content: jsonContent(body) };
}

/** A value as the content of an answer; none for `undefined`. */
export function jsonContent(value: unknown): Answer["content"] {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : { type: "application/json", text };
}
