import type { IncomingMessage } from "node:http";
import * as fc from "fast-check";
import { WebhookError } from "express-webhook-node";
import {
  codingsOf,
  decoderOf,
  DEFAULT_CODINGS,
  parseContentEncoding,
  type ContentCoding,
} from "../../lib/request/content-coding";

function requestWith(field: string | undefined): IncomingMessage {
  return { headers: field === undefined ? {} : { "content-encoding": field } } as IncomingMessage;
}

describe("parseContentEncoding [A3, T10]", () => {
  it.each([
    ["gzip", ["gzip"]],
    ["br", ["br"]],
    ["deflate", ["deflate"]],
    ["GZip", ["gzip"]],
    ["BR", ["br"]],
    ["x-gzip", ["gzip"]],
    ["X-GZIP", ["gzip"]],
    ["identity", []],
    ["Identity", []],
    ["", []],
    [",", []],
    [" , \t,", []],
    ["gzip, br", ["gzip", "br"]],
    ["gzip,br", ["gzip", "br"]],
    ["gzip \t,\t br", ["gzip", "br"]],
    ["\tgzip ", ["gzip"]],
    [",gzip,,br,", ["gzip", "br"]],
    ["identity, gzip, identity", ["gzip"]],
    ["deflate, x-gzip, br, gzip", ["deflate", "gzip", "br", "gzip"]],
  ])("reads %j", (value, codings) => {
    expect(parseContentEncoding(value)).toEqual({ codings });
  });

  it.each([
    ["compress", "compress"],
    ["x-compress", "x-compress"],
    ["gzip, aws-chunked", "aws-chunked"],
    ["nope, gzip", "nope"],
    ["gzip br", "gzip br"],
    ["gzip;q=1", "gzip;q=1"],
    ['"gzip"', '"gzip"'],
    ["*", "*"],
    ["gzip\xa0", "gzip\xa0"],
    ["gzip\x0b", "gzip\x0b"],
    // Names that every object has.
    ["constructor", "constructor"],
    ["__proto__", "__proto__"],
    ["toString", "tostring"],
    ["hasOwnProperty", "hasownproperty"],
  ])("takes %j for unknown", (value, unknown) => {
    const read = parseContentEncoding(value);
    expect(read.codings).toEqual([]);
    expect(read.unknown?.toLowerCase().trim()).toBe(unknown.trim());
  });

  it("never throws, whatever the octets", () => {
    const octets = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString("latin1"));
    const nearly = fc.array(fc.constantFrom("gzip", "br", "x-gzip", "identity", ",", " ", "\t", ";", "\xa0", "a"));
    fc.assert(
      fc.property(
        fc.oneof(
          octets,
          nearly.map((parts) => parts.join("")),
        ),
        (value) => {
          const { codings, unknown } = parseContentEncoding(value);
          expect(unknown === undefined || codings.length === 0).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  // Node takes 16 KiB of header fields; eight times that sets what is quadratic apart from what is slow today.
  const size = 8 * 16_384;
  it.each([
    ["commas", ",".repeat(size)],
    ["members", "gzip,".repeat(size / 5)],
    ["spaces alone", `gzip,${" ".repeat(size)}`],
    ["spaces before two words", `gzip,${" ".repeat(size)}a b`],
    ["spaces between two words", `gzip,a${" ".repeat(size)}b`],
    ["spaces and tabs", `gzip,${" \t".repeat(size / 2)}a b`],
    ["a long word", "a".repeat(size)],
  ])("reads %s in linear time", (_, value) => {
    const startedAt = performance.now();
    parseContentEncoding(value);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe("codingsOf [A3]", () => {
  it.each([
    [undefined, []],
    ["identity", []],
    ["gzip", ["gzip"]],
    ["gzip, deflate, br", ["gzip", "deflate", "br"]],
    ["identity, gzip, identity, identity, identity", ["gzip"]],
  ])("reads %j", (field, codings) => {
    expect(codingsOf(requestWith(field), DEFAULT_CODINGS)).toEqual(codings);
  });

  it.each<[string, readonly ContentCoding[], string]>([
    ["compress", DEFAULT_CODINGS, "br, deflate, gzip"],
    ["zstd", DEFAULT_CODINGS, "br, deflate, gzip"],
    ["gzip, nope, br", DEFAULT_CODINGS, "br, deflate, gzip"],
    ["gzip, gzip, gzip, gzip", DEFAULT_CODINGS, "br, deflate, gzip"],
    ["br", ["gzip"], "gzip"],
    ["gzip, br", ["gzip"], "gzip"],
    ["gzip", [], "identity"],
  ])("refuses %j where it takes %j", (field, accepted, named) => {
    expect(() => codingsOf(requestWith(field), accepted)).toThrow(
      expect.objectContaining({
        code: "ERR_WEBHOOK_CONTENT_CODING",
        status: 415,
        headers: { "Accept-Encoding": named },
      }) as WebhookError,
    );
  });

  it("throws nothing but a refusal, whatever the octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        try {
          codingsOf(requestWith(Buffer.from(array).toString("latin1")), DEFAULT_CODINGS);
        } catch (error) {
          expect(error).toBeInstanceOf(WebhookError);
        }
      }),
    );
  });
});

describe("decoderOf [A3, T10]", () => {
  it.each(["constructor", "__proto__", "toString", "GZIP", "x-gzip", "identity", ""])("has none for %j", (coding) => {
    expect(() => decoderOf(coding)).toThrow(TypeError);
  });

  it("names those that there are", () => {
    expect(() => decoderOf("lzma")).toThrow(/"lzma" is not a content coding of this Node; it has br, deflate, gzip/);
  });
});
