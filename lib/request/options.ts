/**
 * Checks options while the server starts, so that none is wrong in silence.
 *
 * @module
 */

import { nearest } from "./nearest";

/** Every word that an option of a step can have. A test holds the list equal to the types. */
export const OPTION_WORDS = [
  "anonymous",
  "audit",
  "authenticator",
  "codings",
  "context",
  "deadLetter",
  "deadlineMs",
  "deduplicate",
  "diagnose",
  "emitter",
  "enforcement",
  "events",
  "fields",
  "groupId",
  "logger",
  "maxBytes",
  "maxDepth",
  "maxEncodedBytes",
  "maxInFlightBytes",
  "maxMessages",
  "mediaTypeMismatch",
  "mediaTypes",
  "messageType",
  "methods",
  "name",
  "onInvalid",
  "quarantine",
  "respond",
  "resumeInFlightBytes",
  "source",
  "split",
  "status",
] as const;

/**
 * Refuses words that no step knows.
 *
 * @throws TypeError that names the function, the word, and the word most like it.
 */
export function checkOptions(functionName: string, options: object, words: readonly string[] = OPTION_WORDS): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${functionName}: the options must be one object.`);
  }
  for (const word of Object.keys(options)) {
    if (words.includes(word)) continue;
    const near = nearest(word, words);
    throw new TypeError(
      `${functionName}: there is no option ${JSON.stringify(word)}.` +
        (near ? ` Did you mean ${near}?` : ` There are: ${[...words].sort().join(", ")}.`),
    );
  }
}

/** The longest time that a timer of Node's takes, in milliseconds. A longer one it takes for 1. */
export const LONGEST_MS = 2_147_483_647;

/**
 * Checks a limit. One whose word ends in `Ms` is a time, and Node's timers must be able to wait for it.
 *
 * @throws TypeError for anything but a positive integer: `NaN`, `-1`, `"1mb"` must not lift a limit in silence.
 */
export function positiveInteger(word: string, value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new TypeError(`${word}: ${shown(value)} is not a positive whole number; its unit is in its name.`);
  }
  if (word.endsWith("Ms") && value > LONGEST_MS) {
    throw new TypeError(`${word}: ${value} is more than 24 days (${LONGEST_MS}), the longest that a timer waits.`);
  }
  return value;
}

/** @throws TypeError for anything but text that is not empty. */
export function text(word: string, value: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${word}: ${shown(value)} is not a text, or an empty one.`);
}

/** @throws TypeError for anything but one of two words. */
export function eitherOf<A extends string, B extends string>(option: string, value: unknown, a: A, b: B): A | B {
  if (value === a || value === b) return value as A | B;
  throw new TypeError(`${option}: ${shown(value)} is neither ${JSON.stringify(a)} nor ${JSON.stringify(b)}.`);
}

/** @throws TypeError for anything but a status from 200 to 299. */
export function successStatus(word: string, value: number): number {
  if (Number.isInteger(value) && value >= 200 && value <= 299) return value;
  throw new TypeError(`${word}: ${shown(value)} is not a status from 200 to 299.`);
}

/** @throws TypeError for anything but a function. */
export function checkFunction<F>(word: string, value: F): F {
  if (typeof value === "function") return value;
  throw new TypeError(`${word}: ${shown(value)} is not a function.`);
}

/** A value in an error message, short. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
