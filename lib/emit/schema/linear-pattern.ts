/**
 * Regular expressions of JSON Schema, matched in time linear in the text. The engine of JavaScript itself tries one way
 * after another, so that `^(a+)+$` takes a night over forty characters of a sender's choice.
 *
 * @module
 */
import type * as Re2 from "re2js";

/** What the patterns of a schema are asked. `toString` tells one from another. */
export type Pattern = { test(text: string): boolean; toString(): string };

// ECMA-262: \s is WhiteSpace and LineTerminator, and the dot is anything but LineTerminator. RE2's are ASCII's alone.
const SPACE = "\\t-\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const NO_SPACE =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" +
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
const DOT = "[^\\n\\r\\x{2028}\\x{2029}]";
const ANY = "\\x{0}-\\x{10ffff}";

/** One token of a pattern that JavaScript has read already, so what is malformed does not come here. */
const TOKEN = new RegExp(
  [
    String.raw`\\u(?<high>[Dd][89ABab][0-9A-Fa-f]{2})\\u(?<low>[Dd][C-Fc-f][0-9A-Fa-f]{2})`,
    String.raw`\\u(?<unit>[0-9A-Fa-f]{4})`,
    String.raw`\\u\{(?<point>[0-9A-Fa-f]+)\}`,
    String.raw`\\x(?<octet>[0-9A-Fa-f]{2})`,
    String.raw`\\c(?<control>[A-Za-z])`,
    String.raw`\\(?<property>[pP])\{(?:(?:Script|sc|General_Category|gc)=)?(?<value>[^}]*)\}`,
    String.raw`\\.`,
    String.raw`\(\?(?:<[=!]|<[^>]*>|.)`,
    String.raw`\[\^?\]`,
    String.raw`.`,
  ].join("|"),
  "suy",
);

/**
 * Makes a pattern by the grammar of ECMA-262 (with its flag `u`, as JSON Schema has it), matched by RE2.
 *
 * @throws TypeError at start, for what is no pattern, and for what no linear engine can match: lookaheads and
 * backreferences.
 */
export function linearPattern(pattern: string): Pattern {
  let native: RegExp;
  try {
    native = new RegExp(pattern, "u");
  } catch (cause) {
    throw new TypeError(`pattern ${JSON.stringify(pattern)} is no regular expression of ECMA-262.`, { cause });
  }
  // Fifteen milliseconds that only schemas with patterns spend.
  const { RE2JS } = require("re2js") as typeof Re2;
  try {
    const linear = RE2JS.compile(translated(pattern), RE2JS.LOOKBEHINDS);
    return { test: (text) => linear.test(text), toString: () => String(native) };
  } catch (cause) {
    throw new TypeError(
      `pattern ${JSON.stringify(pattern)} cannot be matched in linear time (${(cause as Error).message}): write it without ` +
        'lookaheads and backreferences, or vouch for it with patterns: "native".',
      { cause },
    );
  }
}

/** The same pattern in the grammar of RE2. Groups capture nothing, for nobody asks what they hold. */
function translated(pattern: string): string {
  let text = "";
  let isInClass = false;
  for (let at = 0; at < pattern.length;) {
    TOKEN.lastIndex = at;
    const { 0: found, groups } = TOKEN.exec(pattern) as RegExpExecArray;
    // In a class, what opens a group or another class is a character.
    const token: string = isInClass && /^[[(]/.test(found) ? found.charAt(0) : found;
    at += token.length;
    text += isInClass ? inClass(token, groups) : outside(token, groups);
    isInClass = isInClass ? token !== "]" : token === "[";
  }
  return text;
}

type Groups = RegExpExecArray["groups"];

function outside(token: string, groups: Groups): string {
  switch (token) {
    case ".":
      return DOT;
    case "[]":
      return `[^${ANY}]`;
    case "[^]":
      return `[${ANY}]`;
    case "(":
      return "(?:";
    case "\\s":
      return `[${SPACE}]`;
    case "\\S":
      return `[^${SPACE}]`;
  }
  if (/^\(\?<[^=!]/.test(token)) return "(?:";
  if (/^\(\?[^:<]/.test(token)) throw new TypeError(token === "(?=" || token === "(?!" ? "a lookahead" : "modifiers");
  if (/^\\[1-9k]/.test(token)) throw new TypeError("a backreference");
  return escaped(token, groups);
}

function inClass(token: string, groups: Groups): string {
  if (token === "[") return "\\[";
  if (token === "\\s") return SPACE;
  if (token === "\\S") return NO_SPACE;
  if (token === "\\b") return point(8);
  return escaped(token, groups);
}

function escaped(token: string, groups: Groups): string {
  const { high, low, control, property, value, ...hex } = groups as NonNullable<Groups>;
  if (high !== undefined) {
    return point(String.fromCharCode(parseInt(high, 16), parseInt(low as string, 16)).codePointAt(0) as number);
  }
  const digits = hex["unit"] ?? hex["point"] ?? hex["octet"];
  if (digits !== undefined) return point(parseInt(digits, 16));
  if (control !== undefined) return point(control.charCodeAt(0) % 32);
  if (property !== undefined) return `\\${property}{${value}}`;
  return token === "\\0" ? point(0) : token;
}

function point(codePoint: number): string {
  return `\\x{${codePoint.toString(16)}}`;
}
