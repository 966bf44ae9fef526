import * as fc from "fast-check";
import type { WebhookError } from "express-webhook-node";
import { Octets } from "../../lib/request/octets";
import { decodeText, isCharset } from "../../lib/request/text";

function utf16(text: string, endian: "le" | "be"): Buffer {
  const octets = Buffer.from(text, "utf16le");
  return endian === "le" ? octets : octets.swap16();
}

function utf32(codePoints: readonly number[], endian: "le" | "be"): Buffer {
  const octets = Buffer.alloc(4 * codePoints.length);
  codePoints.forEach((code, at) =>
    endian === "le" ? octets.writeUInt32LE(code, 4 * at) : octets.writeUInt32BE(code, 4 * at),
  );
  return octets;
}

const pointsOf = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) as number);

const ENCODE: Readonly<Record<string, (text: string) => Buffer>> = {
  "utf-8": (text) => Buffer.from(text),
  utf8: (text) => Buffer.from(text),
  "utf-16": (text) => utf16(text, "le"),
  "utf-16le": (text) => utf16(text, "le"),
  "utf-16be": (text) => utf16(text, "be"),
  "utf-32": (text) => utf32(pointsOf(text), "le"),
  "utf-32le": (text) => utf32(pointsOf(text), "le"),
  "utf-32be": (text) => utf32(pointsOf(text), "be"),
};
const BOM = "\uFEFF";

describe("decodeText [T7]", () => {
  it.each(Object.keys(ENCODE))("decodes any text in %s", (charset) => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // As JSON begins: with an ASCII character, by which UTF-16 and UTF-32 tell their octet order.
        const quoted = `"${text}`;
        expect(decodeText((ENCODE[charset] as (text: string) => Buffer)(quoted), charset)).toBe(quoted);
      }),
    );
  });

  it.each(["us-ascii", "ascii"])("decodes all of %s", (charset) => {
    const text = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
    expect(decodeText(Buffer.from(text, "latin1"), charset)).toBe(text);
  });

  it("takes UTF-8 unless told otherwise", () => {
    expect(decodeText(Buffer.from("\u00e9\u{1f4a3}"))).toBe("\u00e9\u{1f4a3}");
  });

  it.each(["utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be"])(
    "decodes nothing to nothing in %s",
    (charset) => {
      expect(isCharset(charset)).toBe(true);
      expect(decodeText(Buffer.alloc(0), charset)).toBe("");
    },
  );

  it.each([
    ["utf-8", Buffer.from(`${BOM}{}`)],
    ["utf-16", utf16(`${BOM}{}`, "le")],
    ["utf-16", utf16(`${BOM}{}`, "be")],
    ["utf-16le", utf16(`${BOM}{}`, "le")],
    ["utf-16be", utf16(`${BOM}{}`, "be")],
    ["utf-32", utf32(pointsOf(`${BOM}{}`), "le")],
    ["utf-32", utf32(pointsOf(`${BOM}{}`), "be")],
    ["utf-32le", utf32(pointsOf(`${BOM}{}`), "le")],
    ["utf-32be", utf32(pointsOf(`${BOM}{}`), "be")],
  ])("drops one byte order mark in %s: %o", (charset, octets) => {
    expect(decodeText(octets, charset)).toBe("{}");
  });

  it.each(["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be"])(
    "drops no second byte order mark in %s",
    (charset) => {
      expect(decodeText((ENCODE[charset] as (text: string) => Buffer)(`${BOM}${BOM}{}`), charset)).toBe(`${BOM}{}`);
    },
  );

  it.each([
    ["utf-16", utf16("{}", "be")],
    ["utf-32", utf32(pointsOf("{}"), "be")],
  ])("tells the octet order of %s by the zero in front, without a mark", (charset, octets) => {
    expect(decodeText(octets, charset)).toBe("{}");
  });

  it.each([
    ["an octet that is never in UTF-8", "utf-8", [0x22, 0xff, 0x22]],
    ["UTF-8 cut in a character", "utf-8", [0x22, 0xe2, 0x82]],
    ["an overlong slash", "utf-8", [0xc0, 0xaf]],
    ["a surrogate in UTF-8", "utf-8", [0xed, 0xa0, 0x80]],
    ["beyond U+10FFFF in UTF-8", "utf-8", [0xf4, 0x90, 0x80, 0x80]],
    ["a continuation alone", "utf8", [0x80]],
    ["ISO 8859-1 told as UTF-8", "utf-8", [0x22, 0xe9, 0x22]],
    ["a high octet in US-ASCII", "us-ascii", [0x22, 0xe9, 0x22]],
    ["UTF-8 told as US-ASCII", "ascii", [...Buffer.from("\u00e9")]],
    ["a byte order mark in US-ASCII", "us-ascii", [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ["an odd octet in UTF-16", "utf-16", [0x7b, 0x00, 0x7d]],
    ["an odd octet in UTF-16LE", "utf-16le", [0x7b, 0x00, 0x7d]],
    ["an odd octet in UTF-16BE", "utf-16be", [0x00, 0x7b, 0x00]],
    ["a high surrogate alone in UTF-16LE", "utf-16le", [0x3d, 0xd8, 0x22, 0x00]],
    ["a high surrogate at the end of UTF-16LE", "utf-16le", [0x22, 0x00, 0x3d, 0xd8]],
    ["a low surrogate alone in UTF-16BE", "utf-16be", [0x00, 0x22, 0xdc, 0xa3]],
    ["surrogates the wrong way round in UTF-16", "utf-16", [0xff, 0xfe, 0xa3, 0xdc, 0x3d, 0xd8]],
    ["UTF-32 cut by an octet", "utf-32le", [0x7b, 0, 0, 0, 0x7d, 0, 0]],
    ["UTF-32 cut by three octets", "utf-32be", [0, 0, 0, 0x7b, 0]],
    ["one octet of UTF-32", "utf-32", [0x7b]],
    ["beyond U+10FFFF in UTF-32LE", "utf-32le", [0, 0, 0x11, 0]],
    ["beyond U+10FFFF in UTF-32BE", "utf-32be", [0, 0x11, 0, 0]],
    ["the largest number in UTF-32", "utf-32le", [0xff, 0xff, 0xff, 0xff]],
    ["a high surrogate alone in UTF-32LE", "utf-32le", [0x00, 0xd8, 0, 0]],
    ["a low surrogate alone in UTF-32BE", "utf-32be", [0, 0, 0xdc, 0x00]],
    ["a surrogate between characters in UTF-32", "utf-32", [0x22, 0, 0, 0, 0x3d, 0xd8, 0, 0, 0x22, 0, 0, 0]],
    ["a character as two surrogates in UTF-32", "utf-32le", [0x3d, 0xd8, 0, 0, 0xa3, 0xdc, 0, 0]],
  ])("[T6] refuses %s", (_, charset, octets) => {
    expect(() => decodeText(Buffer.from(octets), charset)).toThrow(
      expect.objectContaining({ code: "ERR_WEBHOOK_TEXT", status: 400 }) as WebhookError,
    );
  });

  it.each([
    "utf-7",
    "iso-8859-1",
    "latin1",
    "windows-1252",
    "ucs-2",
    "utf-16-le",
    "",
    "constructor",
    "__proto__",
    "UTF-8",
  ])("knows no charset %j", (charset) => {
    expect(isCharset(charset)).toBe(false);
    expect(() => decodeText(Buffer.from("{}"), charset)).toThrow(
      expect.objectContaining({ code: "ERR_WEBHOOK_CHARSET", status: 415 }) as WebhookError,
    );
  });

  it.each(Object.keys(ENCODE))("[T6] takes no two bodies for one text in %s, but for their byte order", (charset) => {
    const octet = fc.constantFrom(0x00, 0x22, 0x7b, 0xc3, 0xa9, 0xd8, 0xdc, 0xef, 0xbb, 0xbf, 0xfd, 0xfe, 0xff, 0x11);
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 12 }), (array) => {
        const octets = Buffer.from(array);
        let text: string;
        try {
          text = decodeText(octets, charset);
        } catch {
          return;
        }
        const encode = ENCODE[charset] as (text: string) => Buffer;
        const spelled = [text, `${BOM}${text}`].map(encode);
        if (charset === "utf-16" || charset === "utf-32") {
          const swapped = ENCODE[`${charset}be`] as (text: string) => Buffer;
          spelled.push(...[text, `${BOM}${text}`].map(swapped));
        }
        expect(spelled.map((spelling) => spelling.toString("hex"))).toContain(octets.toString("hex"));
      }),
      { numRuns: 500 },
    );
  });

  it.each(["utf-8", "us-ascii", "utf-16", "utf-32be"])(
    "makes the same of %s in pieces, wherever they are cut",
    (charset) => {
      // Of each length, a byte order mark, what begins or goes on without an end, and what is no UTF-8 at all.
      const part = fc.constantFrom(
        "41",
        "c3a9",
        "e282ac",
        "f09f9880",
        "efbbbf",
        "00",
        "c3",
        "e282",
        "f09f98",
        "80",
        "ff",
      );
      const resultOf = (octets: Buffer | Octets): string => {
        try {
          return decodeText(octets, charset);
        } catch (error) {
          return (error as WebhookError).code;
        }
      };
      fc.assert(
        fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(48), { maxLength: 8 }), (parts, cuts) => {
          const octets = Buffer.from(parts.join(""), "hex");
          const ends = [...cuts.filter((cut) => cut < octets.length).sort((a, b) => a - b), octets.length];
          const pieces = ends.map((end, at) => octets.subarray(ends[at - 1] ?? 0, end));
          expect(resultOf(new Octets(pieces, octets.length))).toBe(resultOf(octets));
        }),
        { numRuns: 2000 },
      );
    },
  );
});
