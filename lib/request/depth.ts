/**
 * Tells whether JSON text is nested deeper than a bound, before it is parsed: nineteen octets of Brotli become a
 * mebibyte of `[`, and a value thousands deep kills whoever walks it later.
 *
 * @module
 */

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = 0xfeff;

/** Whether JSON text is nested deeper than `maxDepth`. Linear; of text that is no JSON it may say either. */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  // Most bodies open fewer arrays and objects than the bound, and counting is ten times as fast as tracking them.
  return opensMoreThan(text, maxDepth) && exceeds(text, maxDepth);
}

/** Whether there are more brackets that may open something: what stands before one in a URL template is neither of these. */
function opensMoreThan(text: string, count: number): boolean {
  let left = count;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (mayPrecede(text.charCodeAt(at - 1)) && left-- === 0) return true;
    }
  }
  return false;
}

/** Whether a character may stand before a value: `[`, `:`, `,`, white space, a mark, and `NaN` for none. RFC 8259 section 2 */
function mayPrecede(character: number): boolean {
  return (
    character === COLON ||
    character === COMMA ||
    character === OPEN_BRACKET ||
    character === BYTE_ORDER_MARK ||
    !(character > SPACE)
  );
}

function exceeds(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      if (++depth > maxDepth) return true;
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) {
      depth--;
    }
  }
  return false;
}

/** Where the string that begins at `start` ends, or -1. A quote after an odd run of backslashes is part of the string. */
function endOfString(text: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote === -1) return -1;
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
  }
}
