/**
 * What every refusal looks like from outside.
 *
 * @module
 */
import { STATUS_CODES } from "node:http";
import type { Answered } from "../support/serve";

/** Stacks, paths of files and markup: none of them is for a sender. */
const LEAK = /[<>]|\bat .*[(:]\d|node_modules|\.[cm]?[jt]s\b|\/(?:home|usr|work|tmp|var|root)\/|[A-Z]:\\/;

/** Holds an answer to be a problem document (RFC 9457) with this status and code, and nothing but what is meant for a sender. */
export function expectProblem(answered: Answered, status: number, code?: string): void {
  const { type, title, detail: _detail, code: found, ...others } = answered.json ?? {};
  expect({ type, title, code: found, ...others, contentType: answered.headers["content-type"] }).toEqual({
    type: "about:blank",
    title: STATUS_CODES[status],
    status,
    code,
    contentType: "application/problem+json",
  });
  expect(answered.status).toBe(status);
  expectNoLeak(answered.text);
}

/** Holds a text to say nothing of the inside. */
export function expectNoLeak(text: string): void {
  expect(text).not.toMatch(LEAK);
}
