/**
 * Turns octets into text by a charset from a list, and refuses octets that are not text in it: decoding them to U+FFFD
 * would make different keys equal.
 *
 * @module
 */
import { isAscii, isUtf8 } from "node:buffer";
import iconv from "iconv-lite";
import { WebhookError } from "../errors";
import type { Octets } from "./octets";

type Decode = (octets: Buffer) => string;

// Made for the first text in UTF-16: to make them takes milliseconds that few processes need to spend.
const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
function utf16Decoder(charset: "utf-16le" | "utf-16be"): Decode {
  return function decodeUtf16(octets) {
    const decoder = decoders.get(charset) ?? new TextDecoder(charset, { fatal: true });
    decoders.set(charset, decoder);
    return decoder.decode(octets);
  };
}
const utf16le = utf16Decoder("utf-16le");
const utf16be = utf16Decoder("utf-16be");

// Half of what a TextDecoder takes, where the text is neither ASCII nor beyond Latin.
function utf8(octets: Buffer): string {
  if (!isUtf8(octets)) throw new TypeError("not UTF-8");
  return withoutMark(octets.toString("utf8"));
}

/** As `utf8`, without joining the pieces first: what is cut off at the end of one goes to the next. */
function utf8InPieces(pieces: readonly Buffer[]): string {
  let text = "";
  let rest: Buffer | undefined;
  for (const piece of pieces) {
    const octets = rest?.length ? Buffer.concat([rest, piece]) : piece;
    const end = endOfCharacters(octets);
    rest = octets.subarray(end);
    const whole = octets.subarray(0, end);
    if (!isUtf8(whole)) throw new TypeError("not UTF-8");
    text += whole.toString("utf8");
  }
  if (rest?.length) throw new TypeError("not UTF-8");
  return withoutMark(text);
}

/** Where a character that is cut off begins, or the end. The first octet tells how many there are: RFC 3629 section 3. */
function endOfCharacters(octets: Buffer): number {
  const end = octets.length;
  for (let back = 1; back <= Math.min(3, end); back++) {
    const octet = octets[end - back] as number;
    if (octet < 0x80) return end;
    if (octet < 0xc0) continue;
    const length = octet < 0xe0 ? 2 : octet < 0xf0 ? 3 : 4;
    return length > back ? end - back : end;
  }
  return end;
}

function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

// TextDecoder's "us-ascii" is windows-1252 (Encoding Standard section 4.2), which takes any octet.
function ascii(octets: Buffer): string {
  if (!isAscii(octets)) throw new TypeError("not US-ASCII");
  return octets.toString("latin1");
}

// RFC 2781 section 3.3: a byte order mark decides. Without one, JSON begins with an ASCII character, so its zero octet tells.
function utf16(octets: Buffer): string {
  if (octets[0] === 0xff && octets[1] === 0xfe) return utf16le(octets);
  if (octets[0] === 0xfe && octets[1] === 0xff) return utf16be(octets);
  return (octets[0] === 0 ? utf16be : utf16le)(octets);
}

// TextDecoder has no UTF-32. iconv-lite replaces what it cannot read, so only text that encodes to the same octets is taken;
// it keeps surrogates, which are no characters (Unicode section 3.9, D90).
const SURROGATE = /\p{Surrogate}/u;
function utf32(endian: "le" | "be"): Decode {
  const charset = `utf-32${endian}`;
  return function decodeUtf32(octets) {
    const text = iconv.decode(octets, charset, { stripBOM: false });
    const isSame = iconv.encode(text, charset, { addBOM: false }).equals(octets);
    if (!isSame || SURROGATE.test(text)) throw new TypeError("not UTF-32");
    return withoutMark(text);
  };
}
const utf32le = utf32("le");
const utf32be = utf32("be");

function utf32AnyEndian(octets: Buffer): string {
  const littleEndian = (octets[0] === 0xff && octets[1] === 0xfe) || octets[0] !== 0;
  return (littleEndian ? utf32le : utf32be)(octets);
}

const CHARSETS: ReadonlyMap<string, Decode> = new Map([
  ["utf-8", utf8],
  ["utf8", utf8],
  ["us-ascii", ascii],
  ["ascii", ascii],
  ["utf-16", utf16],
  ["utf-16le", utf16le],
  ["utf-16be", utf16be],
  ["utf-32", utf32AnyEndian],
  ["utf-32le", utf32le],
  ["utf-32be", utf32be],
]);

/** Whether text in this charset (lower case) can be read. The rest, such as `utf-7` and `iso-8859-1`, is refused. */
export function isCharset(charset: string): boolean {
  return CHARSETS.has(charset);
}

/**
 * Decodes octets, without their byte order mark.
 *
 * @throws WebhookError `ERR_WEBHOOK_CHARSET` if the charset is not on the list; `ERR_WEBHOOK_TEXT` if the octets are not
 * text in it (RFC 8259 section 8.1).
 */
export function decodeText(octets: Buffer | Octets, charset = "utf-8"): string {
  const decode = CHARSETS.get(charset);
  if (!decode) {
    throw new WebhookError("ERR_WEBHOOK_CHARSET", "The charset is not supported; send UTF-8.", {
      advice: 'At the sender, set the content type to "application/json": JSON is UTF-8.',
    });
  }
  try {
    if (Buffer.isBuffer(octets)) return decode(octets);
    return decode === utf8 && octets.pieces.length > 1 ? utf8InPieces(octets.pieces) : decode(octets.whole);
  } catch (cause) {
    throw new WebhookError("ERR_WEBHOOK_TEXT", `The body is not valid text in ${charset}.`, { cause });
  }
}
