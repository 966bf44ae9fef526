import type { IncomingMessage } from "node:http";
import * as fc from "fast-check";
import { cameTwice, fieldOf, framingOf } from "../../lib/request/field-lines";

const withHeaders = (headers: object): IncomingMessage => ({ headers }) as IncomingMessage;
const withLines = (...rawHeaders: string[]): IncomingMessage => ({ rawHeaders }) as IncomingMessage;

describe("framingOf [T14]", () => {
  it.each([
    [{}, "none"],
    [{ "content-length": "0" }, { declaredBytes: 0 }],
    [{ "content-length": "1048576" }, { declaredBytes: 1_048_576 }],
    [{ "transfer-encoding": "chunked" }, "chunked"],
    // RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length, should a parser ever let both through.
    [{ "transfer-encoding": "chunked", "content-length": "5" }, "chunked"],
  ])("of %j is %j", (headers, framing) => {
    expect(framingOf(withHeaders(headers))).toEqual(framing);
  });
});

describe("cameTwice [T14, T20]", () => {
  it.each<[string[], boolean]>([
    [[], false],
    [["Content-Type", "a"], false],
    [["Content-Type", "a", "Content-Type", "a"], true],
    [["Content-Type", "a", "X-A", "b", "content-TYPE", ""], true],
    [["Content-Type", "a", "Content-Typf", "a"], false],
    [["X-A", "content-type", "Content-Type", "a"], false],
    [["Content-Type", "content-type", "X-A", "content-type"], false],
  ])("of %j is %p", (lines, expected) => {
    expect(cameTwice(withLines(...lines), "content-type")).toBe(expected);
  });

  it("counts names alone, in any case", () => {
    const name = fc.constantFrom("Host", "host", "HOST", "X-Host", "hos", "Host2", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name)), (lines) => {
        const count = lines.filter(([field]) => field.toLowerCase() === "host").length;
        expect(cameTwice(withLines(...lines.flat()), "host")).toBe(count > 1);
      }),
    );
  });
});

describe("fieldOf", () => {
  it.each([
    [{ "x-a": "b" }, "b"],
    [{ "x-a": ["b", "c"] }, "b, c"],
    [{}, undefined],
  ])("of %j is %j", (headers, value) => {
    expect(fieldOf(withHeaders(headers), "x-a")).toBe(value);
  });
});
