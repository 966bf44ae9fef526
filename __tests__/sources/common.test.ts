/**
 * What sources have in common: reading what strangers write, times, signatures, forms, URLs, tokens and filters.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import * as fc from "fast-check";
import { defineSource } from "express-webhook-node/sources/define-source";
import {
  afterPrefix,
  checkMoment,
  checkTime,
  fieldReader,
  oneField,
  optionalField,
  textMember,
} from "express-webhook-node/sources/facts";
import { formFields, jsonInForm } from "express-webhook-node/sources/form";
import { hmacVerifier, signatureDecoder } from "express-webhook-node/sources/hmac-verifier";
import { ed25519Key, publicKeyVerifier } from "express-webhook-node/sources/public-key-verifier";
import { tokenVerifier } from "express-webhook-node/sources/token-verifier";
import { queryOf, urlFinder } from "express-webhook-node/sources/url";
import { hmacOf, octetsOf } from "express-webhook-node/testing/signed";
import { send, serveNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

watchUnhandled();

const withFields = (...lines: readonly (readonly [string, string])[]) =>
  ({ headers: Object.fromEntries(lines), rawHeaders: lines.flat() }) as never;

describe("textMember", () => {
  const payload = {
    id: "a",
    n: 7,
    big: 2 ** 60,
    half: 1.5,
    no: null,
    yes: true,
    list: ["x"],
    deep: { er: { id: "b" } },
  };

  it.each<[readonly string[], string | undefined]>([
    [["id"], "a"],
    [["n"], "7"],
    [["deep", "er", "id"], "b"],
    [["list", "0"], "x"],
    [["big"], undefined],
    [["half"], undefined],
    [["no"], undefined],
    [["yes"], undefined],
    [["list"], undefined],
    [["deep"], undefined],
    [["id", "length"], undefined],
    [["no", "id"], undefined],
    [["constructor", "name"], undefined],
    [["__proto__", "x"], undefined],
    [["toString"], undefined],
  ])("reads %j as %p [T11]", (path, text) => {
    expect(textMember(payload, ...path)).toBe(text);
  });

  it("never throws [T11]", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }), (value, path) => {
        const text = textMember(value, ...path);
        expect(["string", "undefined"]).toContain(typeof text);
      }),
      { numRuns: 200 },
    );
  });
});

describe("header fields of a proof", () => {
  it("are read from one line alone [B7]", () => {
    expect(oneField(withFields(["x-a", "1"]), "X-A")).toBe("1");
    expect(optionalField(withFields(["x-a", ""]), "X-A")).toBe("");
    expect(optionalField(withFields(), "X-A")).toBeUndefined();
    expect(() => oneField(withFields(["x-a", ""]), "X-A")).toThrow("X-A is missing.");
    expect(() => oneField(withFields(), "X-A")).toThrow("X-A is missing.");
    for (const read of [oneField, optionalField]) {
      expect(() => read(withFields(["x-a", "1"], ["x-a", "1"]), "X-A")).toThrow("X-A was sent more than once.");
    }
    expect(afterPrefix("v1=", "v1=v1=a", "X-A")).toBe("v1=a");
    expect(() => afterPrefix("v1=", "V1=a", "X-A")).toThrow("X-A does not begin with v1=");
  });

  it("are read leniently where they prove nothing [B7]", () => {
    const read = fieldReader("X-A");

    expect(read({ request: withFields(["x-a", "1"]) })).toBe("1");
    expect(read({ request: { headers: { "x-a": ["1", "2"] } } as never })).toBe("1");
    expect(read({ request: withFields() })).toBeUndefined();
  });
});

describe("checkTime", () => {
  const window = { toleranceSeconds: 300, now: () => 1_755_000_000_000 };

  it.each(["1755000000", "1755000300", "1754999700"])("lets pass %s [B7]", (digits) => {
    expect(() => checkTime(digits, window)).not.toThrow();
    expect(() => checkTime(`${digits}000`, window, 1000)).not.toThrow();
  });

  it.each([
    ["1755000301", "future"],
    ["1754999699", "past"],
    ["0", "past"],
    ["999999999999999", "future"],
  ])("refuses %s, too far in the %s [B7]", (digits, where) => {
    expect(() => checkTime(digits, window)).toThrow(where);
  });

  it.each([
    "",
    " ",
    "NaN",
    "Infinity",
    "-1",
    "+1",
    "1.5",
    "1e9",
    "0x1",
    " 1755000000",
    "1755000000x",
    "١٧٥٥٠٠٠٠٠٠",
    "9".repeat(16),
  ])("refuses %j, which is no plain number [B7]", (digits) => {
    expect(() => checkTime(digits, window)).toThrow("not a number in decimal digits");
  });

  it("refuses everything where the clock or the moment is no number [B7]", () => {
    expect(() => checkMoment(NaN, window)).toThrow("too far");
    expect(() => checkMoment(0, { toleranceSeconds: 300, now: () => NaN })).toThrow("too far");
    expect(() => checkMoment(0, { toleranceSeconds: NaN, now: () => 0 })).toThrow("too far");
  });
});

describe("signatureDecoder", () => {
  it.each(["hex", "base64"] as const)("reads what is written in %s, in one spelling alone [B7]", (encoding) => {
    for (const octets of [20, 32, 64]) {
      const decode = signatureDecoder(encoding, octets);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: octets, maxLength: octets }), fc.nat(), (value, at) => {
          const text = Buffer.from(value).toString(encoding);
          expect(decode(text)).toEqual(Buffer.from(value));
          // The last digit of base64 has bits to spare.
          for (const place of [at % text.length, text.search(/.=*$/)]) {
            for (const digit of "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ+/=-_ ") {
              const other = text.slice(0, place) + digit + text.slice(place + 1);
              if (other !== text && decode(other)?.equals(Buffer.from(value))) throw new Error(`${other} is ${text}`);
            }
          }
          for (const other of [`${text}=`, `${text}0`, ` ${text}`, `${text}\n`, text.slice(1), text.slice(0, -1)]) {
            expect(decode(other)).toBeUndefined();
          }
        }),
        { numRuns: 20 },
      );
    }
  });
});

describe("hmacVerifier", () => {
  it("publishes which secret has signed, and never the secret itself [B7]", async () => {
    const uses: unknown[] = [];
    const listen = (use: unknown): void => void uses.push(use);
    subscribe("express-webhook-node:secret", listen);
    const signed = ({ request }: { request: { headers: object } }) => ({
      signatures: [(request.headers as Record<string, string>)["x-signature"] ?? ""],
    });
    const source = defineSource({
      name: "acme",
      verify: hmacVerifier({ source: "acme", secrets: ["new", "old"], signed }),
    });
    const { port } = await serveNode({ source });
    for (const secret of ["old", "neither", "new"]) {
      await send(port, { headers: { "x-signature": hmacOf(secret, ["1"]) }, body: "1" });
    }
    unsubscribe("express-webhook-node:secret", listen);

    expect(uses).toEqual([
      { source: "acme", index: 1, of: 2 },
      { source: "acme", index: 0, of: 2 },
    ]);
  });

  it("is at fault itself where a function finds no secret but a malformed one: 500, and nothing is let in [C2]", async () => {
    const source = defineSource({
      name: "acme",
      verify: hmacVerifier({
        source: "acme",
        secrets: async () => [undefined as never],
        signed: () => ({ signatures: ["0".repeat(64)] }),
      }),
    });
    const { port, messages } = await serveNode({ source });

    expect((await send(port, { body: "1" })).status).toBe(500);
    expect(messages).toEqual([]);
  });

  it("throws for a word that is none [B1]", () => {
    expect(() => hmacVerifier({ secret: "x" } as never)).toThrow("Did you mean secrets?");
    expect(() => publicKeyVerifier({ key: "x" } as never)).toThrow("Did you mean keys?");
    expect(() => tokenVerifier({ token: "x" } as never)).toThrow("Did you mean tokens?");
  });
});

describe("ed25519Key", () => {
  it.each([0, 31, 33, 64])("throws for %i octets [B1]", (octets) => {
    expect(() => ed25519Key(Buffer.alloc(octets))).toThrow(`this one ${octets}`);
  });
});

describe("formFields", () => {
  it.each<[string, Record<string, string | string[]>]>([
    ["a=1&b=2", { a: "1", b: "2" }],
    ["a=1&a=2&a=1", { a: ["1", "2", "1"] }],
    ["a=+%2B%C3%A9", { a: " +é" }],
    ["a", { a: "" }],
    ["=1", { "": "1" }],
    ["&&", {}],
  ])("reads %j [T11]", (text, fields) => {
    expect(formFields({ text })).toEqual(fields);
  });

  it("gives what is called like a member of every object no meaning [T11]", () => {
    const fields = formFields({ text: "__proto__=x&constructor=y&toString=a&toString=b" });

    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(Object.entries(fields)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
      ["toString", ["a", "b"]],
    ]);
  });

  it("has nothing to read in an empty body [T9]", () => {
    expect(() => formFields({ text: "" })).toThrow("empty");
    expect(() => jsonInForm("payload")({ text: "", mediaType: "" })).toThrow('one field "payload"');
  });
});

describe("urlFinder", () => {
  it("takes an absolute URL as it stands, or asks a function [B1]", () => {
    expect(urlFinder("HTTPS://Example.com/a?b#c")({} as never)).toBe("HTTPS://Example.com/a?b#c");
    expect(urlFinder(({ originalUrl }) => `https://example.com${originalUrl}`)({ originalUrl: "/a" } as never)).toBe(
      "https://example.com/a",
    );
    for (const wrong of ["", "/a", "example.com", "ftp://example.com", undefined, null, 7, {}]) {
      expect(() => urlFinder(wrong as never)).toThrow(TypeError);
    }
    for (const wrong of ["", undefined, null, 7, Promise.resolve("https://example.com")]) {
      expect(() => urlFinder(() => wrong as never)({} as never)).toThrow(TypeError);
    }
  });

  it.each([
    ["/a?b=c?d", "?b=c?d"],
    ["/?", "?"],
    ["/a", ""],
    ["", ""],
  ])("has the query of %j: %j [B7]", (originalUrl, query) => {
    expect(queryOf({ originalUrl, url: "/?other" })).toBe(query);
    expect(queryOf({ url: originalUrl } as never)).toBe(query);
  });
});

describe("defineSource, for deliveries that hold several events", () => {
  const source = (options: object) =>
    defineSource(
      {
        name: "acme",
        verify: () => {},
        split: (payload) => (Array.isArray(payload) ? (payload as unknown[]) : undefined),
        // From the item, and from the request that all items came in.
        eventType: ({ request, payload }) => `${fieldReader("X-Kind")({ request })}.${textMember(payload, "type")}`,
      },
      options,
    );

  it.each([
    [{}, ["a.1", "a.2", "a.1"]],
    [{ only: ["a.1"] }, ["a.1", "a.1"]],
    [{ ignore: ["a.1"] }, ["a.2"]],
    [{ only: ["b.1"] }, []],
  ])("emits with %j those that are wanted, one by one: %j [J4]", async (options, types) => {
    const { port, messages, outcomes } = await serveNode({ source: source(options) });
    const body = JSON.stringify([{ type: "1" }, { type: "2" }, { type: "1" }]);

    expect((await send(port, { headers: { "x-kind": "a" }, body })).status).toBe(200);
    expect(messages.map(({ eventType }) => eventType)).toEqual(types);
    expect(outcomes.map(({ kind }) => kind)).toEqual([types.length === 0 ? "answered" : "delivered"]);
  });

  it("answers one that is whole as ever [J4]", async () => {
    const { port, messages } = await serveNode({ source: source({ only: ["a.1"] }) });
    for (const type of ["1", "2"]) {
      await send(port, { headers: { "x-kind": "a" }, body: JSON.stringify({ type }) });
    }

    expect(messages.map(({ eventType }) => eventType)).toEqual(["a.1"]);
  });
});

describe("octetsOf", () => {
  it("sends text and octets as they are, and all else as JSON", () => {
    expect(octetsOf("a").toString()).toBe("a");
    expect(octetsOf(Buffer.from([1, 2]))).toEqual(Buffer.from([1, 2]));
    expect(octetsOf({ a: ["é"] }).toString()).toBe('{"a":["é"]}');
  });
});
