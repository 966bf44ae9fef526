/**
 * Reads what a provider says of a delivery: single header fields, members of a payload, times. Strangers write all of them.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { ADVICE_ON_ABSENCE, unauthorized } from "../authenticate/unauthorized";
import { cameTwice } from "../request/field-lines";

export { unauthorized } from "../authenticate/unauthorized";

/** A header field that must be there in exactly one line. @throws HTTPException 401 otherwise: two lines are a proof of neither. */
export function oneField(request: IncomingMessage, name: string): string {
  const value = optionalField(request, name);
  if (value === undefined || value === "") {
    throw unauthorized(`${name} is missing.`, ADVICE_ON_ABSENCE);
  }
  return value;
}

/** A header field that may be there, in one line. @throws HTTPException 401 for two. */
export function optionalField(request: IncomingMessage, name: string): string | undefined {
  const field = name.toLowerCase();
  if (cameTwice(request, field)) throw unauthorized(`${name} was sent more than once.`);
  const value = request.headers[field];
  return typeof value === "string" ? value : undefined;
}

/** A member of a payload, by its path: text as it is, a whole number as its digits, anything else as absent. */
export function textMember(payload: unknown, ...path: readonly string[]): string | undefined {
  let value = payload;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Reads a field that no signature covers, for ids and types. It proves nothing, so a second line is no refusal. */
export function fieldReader(name: string): (facts: { readonly request: IncomingMessage }) => string | undefined {
  const field = name.toLowerCase();
  return ({ request: { headers } }) => {
    const value = headers[field];
    return Array.isArray(value) ? value[0] : value;
  };
}

/** Reads a member of the payload, for ids and types that the signature covers. */
export function memberReader(...path: readonly string[]): (facts: { readonly payload: unknown }) => string | undefined {
  return ({ payload }) => textMember(payload, ...path);
}

/** What stands behind a prefix. @throws HTTPException 401 without it. */
export function afterPrefix(prefix: string, value: string, name: string): string {
  if (value.startsWith(prefix)) return value.slice(prefix.length);
  throw unauthorized(`${name} does not begin with ${prefix}`);
}

export type TimeWindow = {
  /** How far a time may be from ours, in seconds. */
  readonly toleranceSeconds: number;
  /** The clock, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
};

/**
 * Holds a time written in decimal digits against ours, both ways. `perSecond` is 1000 where it is in milliseconds.
 *
 * @throws HTTPException 401 for text that is no such number, and for a time outside the window.
 */
export function checkTime(digits: string, { toleranceSeconds, now = Date.now }: TimeWindow, perSecond = 1): void {
  // Number() and parseInt() would take "1e9", " 1" and "1x".
  if (!/^\d{1,15}$/.test(digits)) throw unauthorized("The time of the signature is not a number in decimal digits.");
  checkMoment((Number(digits) * 1000) / perSecond, { toleranceSeconds, now });
}

/** Holds a time in milliseconds since 1970 against ours, both ways. @throws HTTPException 401 for one outside the window. */
export function checkMoment(sentAt: number, { toleranceSeconds, now = Date.now }: TimeWindow): void {
  const age = now() - sentAt;
  if (Math.abs(age) <= toleranceSeconds * 1000) return;
  throw unauthorized(
    `The time of the signature is too far in the ${age > 0 ? "past" : "future"}.`,
    adviceOnTime(sentAt, age, toleranceSeconds),
  );
}

function adviceOnTime(sentAt: number, age: number, toleranceSeconds: number): string {
  const nearNow = (factor: number): boolean => Math.abs(sentAt * factor - (sentAt + age)) < 86_400_000;
  if (nearNow(0.001)) return "It looks like a time in milliseconds where seconds are expected.";
  if (nearNow(1000)) return "It looks like a time in seconds where milliseconds are expected.";
  const seconds = Math.round(Math.abs(age) / 1000);
  return (
    `It is ${seconds} s from ours, and toleranceSeconds is ${toleranceSeconds}: ` +
    "either a clock is wrong, or an old delivery was sent again as it was."
  );
}
