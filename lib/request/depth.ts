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
  // Each takes some three times as long as the one before, and few bodies need it: those of a few hundred values are done
  // with the first, and all but lists of numbers with the second.
  return opensMoreThan(text, maxDepth) && mayExceed(text, maxDepth) && exceeds(text, maxDepth);
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

/** As `exceeds`, by the brackets alone: one too many may be counted as open, never one too few. */
function mayExceed(text: string, maxDepth: number): boolean {
  const openers = new Brackets(text, "{", "[");
  const closers = new Brackets(text, "}", "]");
  let depth = 0;
  let lastCloser = -1;
  let isCertain = false;
  for (;;) {
    if (openers.at < closers.at) {
      if (mayPrecede(text.charCodeAt(openers.at - 1)) && ++depth > maxDepth) return true;
      openers.goOn();
    } else if (closers.at < text.length) {
      // With no quote between two of them, the one is outside of strings as much as the other.
      isCertain = isOutside(text, closers.at, lastCloser) ?? isCertain;
      if (isCertain) depth--;
      lastCloser = closers.at;
      closers.goOn();
    } else {
      return false;
    }
  }
}

/** The places of two kinds of bracket, in order. */
class Brackets {
  /** Where the next one stands; at the end, the length of the text. */
  at: number;
  readonly #text: string;
  readonly #brace: string;
  readonly #bracket: string;
  #nextBrace: number;
  #nextBracket: number;

  constructor(text: string, brace: string, bracket: string) {
    this.#text = text;
    this.#brace = brace;
    this.#bracket = bracket;
    this.#nextBrace = find(text, brace, 0);
    this.#nextBracket = find(text, bracket, 0);
    this.at = Math.min(this.#nextBrace, this.#nextBracket);
  }

  goOn(): void {
    if (this.at === this.#nextBrace) this.#nextBrace = find(this.#text, this.#brace, this.at + 1);
    else this.#nextBracket = find(this.#text, this.#bracket, this.at + 1);
    this.at = Math.min(this.#nextBrace, this.#nextBracket);
  }
}

function find(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}

/** What stands outside of strings: brackets, commas, colons, spaces, numbers and the three names. RFC 8259 section 2 */
const STRUCTURE = new Uint8Array(128);
for (const character of "[]{},: 0123456789+-.eEtruefalsn") STRUCTURE[character.charCodeAt(0)] = 1;

/**
 * Whether a place in JSON text is outside of strings for certain: behind a control character, which no string holds, or with
 * a quote before it that does not begin one, as nothing stands before that quote that may precede a value or a name. Of text
 * that is no JSON this is true as far as a parser gets, which is all that counts. `undefined` if nothing tells, back to `last`.
 */
function isOutside(text: string, place: number, last: number): boolean | undefined {
  for (let at = place - 1; at > last; at--) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      const before = text.charCodeAt(at - 1);
      return !mayPrecede(before) && before !== OPEN_BRACE && before !== BACKSLASH;
    }
    if (STRUCTURE[character] !== 1) return character < SPACE;
  }
  return undefined;
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
