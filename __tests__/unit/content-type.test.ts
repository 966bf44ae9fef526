import * as fc from "fast-check";
import { isJsonMediaType, parseContentType } from "../../lib/request/content-type";

const json = { mediaType: "application/json" };
const utf8 = { ...json, charset: "utf-8" };

describe("parseContentType [A2, T10]", () => {
  it.each([
    ["application/json", json],
    ["APPLICATION/JSON", json],
    ["Application/Vnd.Api+JSON", { mediaType: "application/vnd.api+json" }],
    ["model/gltf+json", { mediaType: "model/gltf+json" }],
    ["text/plain", { mediaType: "text/plain" }],
    ["!#$%&'+-.^_`|~09aZ/!#$%&'+-.^_`|~09aZ", { mediaType: "!#$%&'+-.^_`|~09az/!#$%&'+-.^_`|~09az" }],
    // RFC 9110 section 8.3.1: the four examples there are equivalent.
    ["text/html;charset=utf-8", { mediaType: "text/html", charset: "utf-8" }],
    ['Text/HTML;Charset="utf-8"', { mediaType: "text/html", charset: "utf-8" }],
    ['text/html; charset="utf-8"', { mediaType: "text/html", charset: "utf-8" }],
    ["text/html;charset=UTF-8", { mediaType: "text/html", charset: "utf-8" }],
    ["application/json;charset=UTF-8", utf8],
    ["application/json ; charset=utf-8", utf8],
    ["application/json\t;\tcharset=utf-8", utf8],
    [" application/json; charset=utf-8 \t", utf8],
    // RFC 9110 section 5.6.6: a parameter may be left out between two semicolons.
    ["application/json;", json],
    ["application/json;;", json],
    ["application/json; ; charset=utf-8; ;", utf8],
    ["application/json;a=b;charset=utf-8;c=d", utf8],
    // RFC 9110 section 5.6.4: quoted-string and quoted-pair.
    ['application/json;charset="UTF\\-8"', utf8],
    ['application/json;charset="\\u\\t\\f\\-\\8"', utf8],
    ['application/json;charset=""', { ...json, charset: "" }],
    ['application/json;a="; charset=utf-7";charset=utf-8', utf8],
    ['application/json;a="\\"; charset=utf-7";charset=utf-8', utf8],
    ['application/json;a="\\\\";charset=utf-8', utf8],
    ['application/json;a="x, y/z"', json],
    ['application/json;a="\t !#[]~"', json],
    ['application/json;profile="https://example.com/a?b=c&d"', json],
    ["application/json;xcharset=utf-7;charsetx=utf-7;charset*=utf-7", json],
    ["application/json;charset='utf-8'", { ...json, charset: "'utf-8'" }],
    ["application/json;charset=*", { ...json, charset: "*" }],
  ])("reads %j", (value, expected) => {
    expect(parseContentType(value)).toEqual(expected);
  });

  it.each([
    ["nothing", undefined],
    ["an empty value", ""],
    ["white space alone", " \t"],
    ["a type without a subtype", "application"],
    ["a type with an empty subtype", "application/"],
    ["an empty type", "/json"],
    ["a slash alone", "/"],
    ["two slashes", "application/json/x"],
    ["white space in front of the slash", "application /json"],
    ["white space behind the slash", "application/ json"],
    ["junk behind the type", "application/json junk"],
    ["junk behind a parameter", "application/json;charset=utf-8 junk"],
    ["junk behind a quoted parameter", 'application/json;charset="utf-8"junk'],
    ["a list", "application/json, text/plain"],
    ["the same twice", "application/json,application/json"],
    ["a list whose second hides behind a parameter", "application/json;a=b, text/plain"],
    ["any type", "*/*"],
    ["any subtype", "application/*"],
    ["a wildcard with a suffix", "*/*+json"],
    ["a wildcard inside a token", "application/a*+json"],
    ["a no-break space behind", "application/json\xa0"],
    ["a no-break space in front", "\xa0application/json"],
    ["a no-break space instead of a space", "application/json;\xa0charset=utf-8"],
    ["a vertical tab", "application/json\x0b"],
    ["a form feed", "application/json\x0c;charset=utf-8"],
    ["a line feed", "application/json\n"],
    ["a NUL", "application/json\0"],
    ["white space around the equals sign", "application/json;charset = utf-8"],
    ["a parameter without a value", "application/json;charset"],
    ["a parameter with an empty value", "application/json;charset="],
    ["a parameter without a name", "application/json;=utf-8"],
    ["a quoted name", 'application/json;"charset"=utf-8'],
    ["a quoted string without an end", 'application/json;charset="utf-8'],
    ["a quoted string that ends in a backslash", 'application/json;charset="utf-8\\"'],
    ["obs-text in a quoted string", 'application/json;a="\xe9"'],
    ["obs-text in a quoted pair", 'application/json;a="\\\xe9"'],
    ["obs-text in a token", "application/json;a=\xe9"],
    ["a control character in a quoted string", 'application/json;a="\x01"'],
    ["a control character in a quoted pair", 'application/json;a="\\\x7f"'],
    ["a slash in a token", "application/json;a=b/c"],
    ["a comma for a semicolon", "application/json,charset=utf-8"],
    ["two charsets", "application/json;charset=utf-8;charset=utf-16"],
    ["the same charset twice", "application/json;charset=utf-8;Charset=utf-8"],
    ["a second charset that is quoted", 'application/json;charset=utf-8;charset="utf-8"'],
  ])("takes %s for no media type", (_, value) => {
    expect(parseContentType(value)).toBeUndefined();
  });

  // Octets of a field, as Node hands them over.
  const octets = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString("latin1"));
  const nearly = fc
    .array(
      fc.constantFrom("application/json", ";", '"', "\\", "=", "charset", "utf-8", " ", "\t", ",", "*", "\xa0", "/"),
    )
    .map((parts) => parts.join(""));

  it("never throws, whatever the octets", () => {
    fc.assert(
      fc.property(fc.oneof(octets, nearly), (value) => {
        for (const field of [value, `application/json${value}`, `application/json;${value}`]) {
          const read = parseContentType(field);
          expect(read === undefined || /^[^\s/]+\/[^\s/]+$/.test(read.mediaType)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("reads back a charset in quotes, whatever is escaped in it", () => {
    const character = fc.tuple(fc.integer({ min: 0x20, max: 0x7e }).map(String.fromCharCode), fc.boolean());
    fc.assert(
      fc.property(fc.array(character), (characters) => {
        const quoted = characters.map(([char, isEscaped]) => (isEscaped || /["\\]/.test(char) ? `\\${char}` : char));
        expect(parseContentType(`application/json;charset="${quoted.join("")}"`)).toEqual({
          ...json,
          charset: characters.map(([char]) => char.toLowerCase()).join(""),
        });
      }),
    );
  });

  // Node takes 16 KiB of header fields; eight times that sets what is quadratic apart from what is slow today.
  const size = 8 * 16_384;
  it.each([
    ["spaces in front", " ".repeat(size)],
    ["spaces behind", `application/json${" ".repeat(size)}x`],
    ["spaces before a semicolon that does not come", `application/json;a=b${" ".repeat(size)}`],
    ["spaces behind a semicolon", `application/json;${" ".repeat(size)}x`],
    ["semicolons", `application/json${";".repeat(size)}x`],
    ["semicolons and spaces", `application/json${"; ".repeat(size / 2)}x`],
    ["semicolons, spaces and tabs", `application/json${" \t;".repeat(size / 3)},`],
    ["quotes", `application/json${';a="'.repeat(size / 4)}`],
    ["backslashes", `application/json;a="${"\\".repeat(size)}`],
    ["quoted pairs", `application/json;a="${'\\"'.repeat(size / 2)}`],
    ["parameters", `application/json${";a=b".repeat(size / 4)},`],
    ["a long token", "a".repeat(size)],
    ["a long name", `application/json;${"a".repeat(size)}`],
    ["slashes", "a/".repeat(size / 2)],
  ])("reads %s in linear time", (_, value) => {
    const startedAt = performance.now();
    parseContentType(value);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe("isJsonMediaType [A2]", () => {
  it.each(["application/json", "model/gltf+json", "application/calendar+json", "application/vnd.github.v3+json"])(
    "takes %s",
    (mediaType) => {
      expect(isJsonMediaType(mediaType)).toBe(true);
    },
  );

  it.each([
    "text/json",
    "application/x-json",
    "application/jsonp",
    "application/json5",
    "application/ld+jsonx",
    "application+json/x",
  ])("refuses %s", (mediaType) => {
    expect(isJsonMediaType(mediaType)).toBe(false);
  });
});
