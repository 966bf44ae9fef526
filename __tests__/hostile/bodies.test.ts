/** What comes in a body: damaged codings, bombs, windows, charsets, depths, and nothing at all. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Answered } from "../support/serve";
import { CODE, exchange, send, serveNode } from "../support/serve";
import { chunk, head, LAST_CHUNK } from "../support/dial";
import { watchUnhandled } from "../support/unhandled";
import { expectProblem } from "./refused";

watchUnhandled();

const GOOD = JSON.stringify({ hello: "world", list: Array.from({ length: 300 }, (_, at) => at) });

/** A coded body with something behind its end. */
const TRAILED: readonly [string, string, Buffer][] = [
  ["gzip and one NUL", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.from("\0")])],
  ["gzip and text", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.from("junk")])],
  ["gzip, NUL and text", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.from("\0junk")])],
  ["gzip, many NULs and text", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.alloc(70_000), Buffer.from("junk")])],
  ["gzip, NUL and another gzip", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.from("\0"), gzipSync("1")])],
  ["gzip and half a gzip", "gzip", Buffer.concat([gzipSync(GOOD), gzipSync("  ").subarray(0, 12)])],
  ["gzip and the first octet of another", "gzip", Buffer.concat([gzipSync(GOOD), Buffer.from([0x1f])])],
  ["deflate and one NUL", "deflate", Buffer.concat([deflateSync(GOOD), Buffer.from("\0")])],
  ["deflate and text", "deflate", Buffer.concat([deflateSync(GOOD), Buffer.from("junk")])],
  ["deflate and another deflate", "deflate", Buffer.concat([deflateSync(GOOD), deflateSync("1")])],
  ["br and one NUL", "br", Buffer.concat([brotliCompressSync(GOOD), Buffer.from("\0")])],
  ["br and text", "br", Buffer.concat([brotliCompressSync(GOOD), Buffer.from("junk")])],
  ["br and another br", "br", Buffer.concat([brotliCompressSync(GOOD), brotliCompressSync("1")])],
];

/** The ways in which a body may arrive: at once; in two pieces, cut before its last octets; octet by octet at the end. */
function arrivals(body: Buffer): readonly (Buffer | readonly Buffer[])[] {
  const cut = Math.max(1, body.length - 3);
  const pieces = [
    body.subarray(0, cut),
    ...Array.from({ length: body.length - cut }, (_, at) => body.subarray(cut + at, cut + at + 1)),
  ];
  return [body, [body], [body.subarray(0, cut), body.subarray(cut)], pieces];
}

describe("a body in chunks of one octet [T4, T22]", () => {
  it.each([
    ["identity", (octets: Buffer) => octets],
    ["gzip", gzipSync],
  ])("is taken whole, as %s", async (coding, code) => {
    const { port, messages } = await serveNode();
    const text = JSON.stringify("\u00e9".repeat(40_000) + "x");
    const chunks = Array.from(code(Buffer.from(text)), (octet) => chunk(Buffer.of(octet)));
    const fields = ["Content-Type: application/json", "Transfer-Encoding: chunked", `Content-Encoding: ${coding}`];
    const request = Buffer.concat([Buffer.from(head(fields)), ...chunks, Buffer.from(LAST_CHUNK)]);
    expect((await exchange(port, request)).statuses).toEqual([200]);
    expect(messages[0]?.body).toBe(text);
    expect(messages[0]?.octets.toString()).toBe(text);
  });
});

describe("octets behind the end of a coded body [T1, A3]", () => {
  it.each(TRAILED)("%s: 400, however it arrives", async (_, coding, body) => {
    const { port, messages } = await serveNode();
    for (const arrival of arrivals(body)) {
      const answered = await send(port, { headers: { "content-encoding": coding }, body: arrival });
      expectProblem(answered, 400, "ERR_WEBHOOK_BODY_DAMAGED");
    }
    expect(messages).toEqual([]);
  });

  it("the same bodies without it are taken, two members of gzip too (RFC 1952 section 2.2)", async () => {
    const { port, messages } = await serveNode();
    const bodies: readonly [string, Buffer][] = [
      ["gzip", gzipSync(GOOD)],
      ["deflate", deflateSync(GOOD)],
      ["br", brotliCompressSync(GOOD)],
      ["gzip", Buffer.concat([gzipSync(GOOD.slice(0, 100)), gzipSync(GOOD.slice(100))])],
    ];
    for (const [coding, body] of bodies) {
      for (const arrival of arrivals(body)) {
        expect((await send(port, { headers: { "content-encoding": coding }, body: arrival })).status).toBe(200);
        expect(messages.pop()?.body).toBe(GOOD);
      }
    }
  });
});

describe("a decoder that fails after its end [T2]", () => {
  it("ends no process: gzip, NUL, and garbage that comes later", async () => {
    const { port, messages, outcomes } = await serveNode();
    const fields = head([
      "Content-Type: application/json",
      "Content-Encoding: gzip",
      "Transfer-Encoding: chunked",
      "Connection: close",
    ]);
    const whole = gzipSync(GOOD);
    const starts: readonly Buffer[][] = [
      [whole, Buffer.from("\0"), Buffer.from("garbage")],
      [Buffer.concat([whole, Buffer.from("\0")]), Buffer.from("garbage")],
      [Buffer.concat([whole, Buffer.from("\0")]), Buffer.from([0x1f, 0x8b]), Buffer.from("garbage")],
      [whole, Buffer.from([0x1f, 0x8b, 0x08]), Buffer.from("garbage"), Buffer.from("\0")],
    ];
    for (const pieces of starts) {
      // 25 ms between pieces: longer than a body is awaited whole, so that it is inflated while it arrives.
      const { statuses } = await exchange(port, [fields, ...pieces.map(chunk), LAST_CHUNK], { pauseMs: 25 });
      expect(statuses).toEqual([400]);
    }
    expect(messages).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["refused", "refused", "refused", "refused"]);
    expect((await send(port, { body: GOOD })).status).toBe(200);
  });
});

describe("damaged codings [A3]", () => {
  const SPOILT: readonly [string, string, Buffer][] = [
    ["gzip cut short", "gzip", gzipSync(GOOD).subarray(0, -1)],
    ["gzip without its trailer", "gzip", gzipSync(GOOD).subarray(0, -8)],
    ["gzip with a wrong checksum", "gzip", flipped(gzipSync(GOOD), -6)],
    ["gzip with a wrong length", "gzip", flipped(gzipSync(GOOD), -1)],
    ["gzip with a flipped bit", "gzip", flipped(gzipSync(GOOD), 40)],
    ["a gzip header alone", "gzip", gzipSync(GOOD).subarray(0, 10)],
    ["text that is called gzip", "gzip", Buffer.from(GOOD)],
    ["deflate that is called gzip", "gzip", deflateSync(GOOD)],
    ["deflate cut short", "deflate", deflateSync(GOOD).subarray(0, -1)],
    ["deflate with a wrong checksum", "deflate", flipped(deflateSync(GOOD), -1)],
    ["bare deflate", "deflate", deflateRawSync(GOOD)],
    ["deflate with a preset dictionary", "deflate", deflateSync(GOOD, { dictionary: Buffer.from("hello world") })],
    ["gzip that is called deflate", "deflate", gzipSync(GOOD)],
    ["br cut short", "br", brotliCompressSync(GOOD).subarray(0, -1)],
    ["br with a flipped bit", "br", flipped(brotliCompressSync(GOOD), 40)],
    ["text that is called br", "br", Buffer.from(GOOD)],
    ["one coding where two are named", "gzip, gzip", gzipSync(GOOD)],
    ["two codings in the wrong order", "br, gzip", brotliCompressSync(gzipSync(GOOD))],
  ];

  it.each(SPOILT)("%s: 400, however it arrives", async (_, coding, body) => {
    const { port, messages } = await serveNode();
    for (const arrival of arrivals(body)) {
      const answered = await send(port, { headers: { "content-encoding": coding }, body: arrival });
      expectProblem(answered, 400, "ERR_WEBHOOK_BODY_DAMAGED");
    }
    expect(messages).toEqual([]);
  });
});

describe("the window of br [T3]", () => {
  const windowed = (bits: number): Buffer =>
    brotliCompressSync(GOOD, { params: { [constants.BROTLI_PARAM_LGWIN]: bits, [constants.BROTLI_PARAM_QUALITY]: 5 } });
  const large = brotliCompressSync(GOOD, {
    params: { [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 26 },
  });

  it("is told by the first octet, as the cases below have it (RFC 7932 section 9.1)", () => {
    expect([23, 24].map((bits) => (windowed(bits)[0] as number) & 0x0f)).toEqual([0x0d, 0x0f]);
    expect((large[0] as number) & 0x7f).toBe(0x11);
  });

  it.each([10, 16, 18, 20, 22])("of 2^%i octets is let through", async (bits) => {
    const { port, messages } = await serveNode();
    const body = windowed(bits);
    for (const arrival of [body, [body.subarray(0, 1), body.subarray(1)]]) {
      expect((await send(port, { headers: { "content-encoding": "br" }, body: arrival })).status).toBe(200);
    }
    expect(messages.map((message) => message.body)).toEqual([GOOD, GOOD]);
  });

  it.each<[string, Buffer]>([
    ["2^23 octets", windowed(23)],
    ["2^24 octets", windowed(24)],
    ["the large-window form", large],
    ["2^24 octets, in its first octet alone", Buffer.from([0x0f])],
  ])("of %s is refused: 413, beneath another coding too", async (_, body) => {
    const { port, messages } = await serveNode();
    const over: readonly [string, Buffer][] = [
      ["br", body],
      ["br, gzip", gzipSync(body)],
    ];
    for (const [coding, coded] of over) {
      for (const arrival of [coded, [coded], [coded.subarray(0, 1), coded.subarray(1)]]) {
        const answered = await send(port, { headers: { "content-encoding": coding }, body: arrival });
        expectProblem(answered, 413, "ERR_WEBHOOK_WINDOW_TOO_LARGE");
      }
    }
    expect(messages).toEqual([]);
  });
});

describe("limits of a body [T4, T5]", () => {
  const exactly = (bytes: number): Buffer => Buffer.from(`"${"x".repeat(bytes - 2)}"`);

  it.each(["identity", "gzip", "deflate", "br"] as const)(
    "%s: as many octets as allowed are taken, one more is 413",
    async (coding) => {
      const { port } = await serveNode({ maxBytes: 4096 });
      const headers = { "content-encoding": coding };
      for (const cut of [0, 1]) {
        const ways = (octets: Buffer): readonly (Buffer | readonly Buffer[])[] => {
          const coded = CODE[coding](octets);
          return [coded, [coded.subarray(0, cut), coded.subarray(cut)].filter(({ length }) => length > 0)];
        };
        for (const body of ways(exactly(4096))) expect((await send(port, { headers, body })).status).toBe(200);
        for (const body of ways(exactly(4097))) {
          expectProblem(await send(port, { headers, body }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
        }
      }
    },
  );

  it("octets as sent are bounded too: stored blocks, and blocks that hold nothing", async () => {
    const { port, messages } = await serveNode({ maxBytes: 4096, maxEncodedBytes: 8192 });
    // Empty stored blocks (RFC 1951 section 3.2.4): as many octets as one likes, and nothing comes out.
    const empty = Buffer.concat(Array.from({ length: 4000 }, () => Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])));
    const padded = Buffer.concat([Buffer.from([0x78, 0x01]), empty, deflateSync("{}").subarray(2)]);
    const headers = { "content-encoding": "deflate" };
    for (const body of [padded, [padded], [padded.subarray(0, 5000), padded.subarray(5000)]]) {
      expectProblem(await send(port, { headers, body }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    }
    expect(messages).toEqual([]);
  });

  it("a bomb within a bomb is bounded between the two", async () => {
    const { port } = await serveNode();
    const inner = gzipSync(Buffer.alloc(16 * 1_048_576, 0x20), { level: 9 });
    const outer = gzipSync(inner, { level: 9 });
    const headers = { "content-encoding": "gzip, gzip" };
    for (const body of [outer, [outer.subarray(0, 50), outer.subarray(50)]]) {
      expectProblem(await send(port, { headers, body }), 413, "ERR_WEBHOOK_BODY_TOO_LARGE");
    }
    const headersOfThree = { "content-encoding": "gzip, gzip, gzip" };
    expectProblem(
      await send(port, { headers: headersOfThree, body: gzipSync(outer) }),
      413,
      "ERR_WEBHOOK_BODY_TOO_LARGE",
    );
    expectProblem(
      await send(port, { headers: { "content-encoding": "gzip, gzip, gzip, gzip" }, body: gzipSync(gzipSync(outer)) }),
      415,
      "ERR_WEBHOOK_CONTENT_CODING",
    );
  });
});

describe("text of a body [T6, T7]", () => {
  const utf16le = (text: string): Buffer => Buffer.from(text, "utf16le");
  const utf16be = (text: string): Buffer => utf16le(text).swap16();
  const utf32 = (text: string, endian: "LE" | "BE"): Buffer =>
    Buffer.concat(
      Array.from(text, (char) => {
        const octets = Buffer.alloc(4);
        octets[`writeUInt32${endian}`](char.codePointAt(0) as number);
        return octets;
      }),
    );
  const TEXT = '{"key":"日本 \u{1F600} é"}';
  const MARK = "\uFEFF";

  const TAKEN: readonly [string, string, Buffer][] = [
    ["no charset", "", Buffer.from(TEXT)],
    ["no charset, with a byte order mark", "", Buffer.from(MARK + TEXT)],
    ["utf-8", "utf-8", Buffer.from(TEXT)],
    ["UTF8 in quotes", '"UTF8"', Buffer.from(TEXT)],
    ["utf-8 with a byte order mark", "utf-8", Buffer.from(MARK + TEXT)],
    ["utf-16 with its mark, little end first", "utf-16", utf16le(MARK + TEXT)],
    ["utf-16 with its mark, big end first", "utf-16", utf16be(MARK + TEXT)],
    ["utf-16 without a mark, little end first", "utf-16", utf16le(TEXT)],
    ["utf-16 without a mark, big end first", "utf-16", utf16be(TEXT)],
    ["utf-16le", "utf-16le", utf16le(TEXT)],
    ["utf-16be", "utf-16be", utf16be(TEXT)],
    ["utf-32 with its mark, little end first", "utf-32", utf32(MARK + TEXT, "LE")],
    ["utf-32 with its mark, big end first", "utf-32", utf32(MARK + TEXT, "BE")],
    ["utf-32le", "utf-32le", utf32(TEXT, "LE")],
    ["utf-32be", "utf-32be", utf32(TEXT, "BE")],
  ];

  it.each(TAKEN)(
    "in %s is taken, coded or not; the text drops the mark, the octets keep it",
    async (_, charset, octets) => {
      const { port, messages } = await serveNode();
      const type = charset === "" ? "application/json" : `application/json; charset=${charset}`;
      for (const coding of ["identity", "gzip"] as const) {
        const headers = { "content-type": type, "content-encoding": coding };
        expect((await send(port, { headers, body: CODE[coding](octets) })).status).toBe(200);
        const message = messages.pop();
        expect(message?.body).toBe(TEXT);
        expect(message?.payload).toEqual(JSON.parse(TEXT));
        expect(message?.octets.equals(octets)).toBe(true);
      }
    },
  );

  it("in US-ASCII is taken", async () => {
    const { port } = await serveNode();
    const headers = { "content-type": "application/json; charset=us-ascii" };
    expect((await send(port, { headers, body: '{"key":"\\u00e9"}' })).status).toBe(200);
  });

  it.each<[string, string, Buffer]>([
    ["UTF-8 cut short", "utf-8", Buffer.from([0x22, 0xe6, 0x97, 0x22])],
    ["UTF-8 with a lone continuation octet", "utf-8", Buffer.from([0x22, 0x80, 0x22])],
    ["UTF-8 with an overlong form", "utf-8", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ["UTF-8 with a surrogate", "utf-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["UTF-8 beyond U+10FFFF", "utf-8", Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22])],
    ["Latin-1 that is called nothing", "utf-8", Buffer.from('{"é":1}', "latin1")],
    ["US-ASCII with an eighth bit", "us-ascii", Buffer.from('"é"')],
    ["UTF-16 with an odd octet", "utf-16le", Buffer.concat([utf16le("{}"), Buffer.from([0x20])])],
    ["UTF-16 with a lone surrogate", "utf-16le", utf16le('"\ud800"')],
    ["UTF-16 with surrogates the wrong way round", "utf-16be", utf16be('"\udc00\ud800"')],
    ["UTF-32 with octets over", "utf-32le", Buffer.concat([utf32("{}", "LE"), Buffer.from([0x20, 0, 0])])],
    ["UTF-32 with a surrogate", "utf-32be", Buffer.from([0, 0, 0, 0x22, 0, 0, 0xd8, 0, 0, 0, 0, 0x22])],
    ["UTF-32 beyond U+10FFFF", "utf-32le", Buffer.from([0x22, 0, 0, 0, 0, 0, 0x11, 0, 0x22, 0, 0, 0])],
  ])("that is %s is 400", async (_, charset, octets) => {
    const { port, messages } = await serveNode();
    const headers = { "content-type": `application/json; charset=${charset}` };
    expectProblem(await send(port, { headers, body: octets }), 400, "ERR_WEBHOOK_TEXT");
    expectProblem(
      await send(port, { headers: { ...headers, "content-encoding": "br" }, body: CODE.br(octets) }),
      400,
      "ERR_WEBHOOK_TEXT",
    );
    expect(messages).toEqual([]);
  });

  it.each([
    "utf-7",
    "iso-8859-1",
    "windows-1252",
    "koi8-r",
    "shift_jis",
    "gb18030",
    "x-user-defined",
    "ucs-2",
    "utf-16 ",
    "constructor",
    "__proto__",
    "*",
    '""',
    "cesu-8",
  ])("in charset=%s is 415", async (charset) => {
    const { port, messages } = await serveNode();
    const headers = { "content-type": `application/json; charset=${charset === "utf-16 " ? '"utf-16 "' : charset}` };
    const answered = await send(port, { headers, body: "{}" });
    expectProblem(answered, 415, "ERR_WEBHOOK_CHARSET");
    expect(answered.headers["accept"]).toContain("application/json");
    expect(messages).toEqual([]);
  });
});

describe("depth of JSON [T8]", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  it("up to the bound is taken; over it is 400 before it is parsed, in any charset and coding", async () => {
    const { port, messages } = await serveNode({ maxDepth: 20 });
    const charsets: readonly [string, (text: string) => Buffer][] = [
      ["utf-8", (text) => Buffer.from(text)],
      ["utf-16le", (text) => Buffer.from(text, "utf16le")],
      ["utf-16be", (text) => Buffer.from(text, "utf16le").swap16()],
    ];
    for (const [charset, encode] of charsets) {
      for (const coding of ["identity", "gzip", "br"] as const) {
        const headers = { "content-type": `application/json; charset=${charset}`, "content-encoding": coding };
        const post = (text: string): Promise<Answered> => send(port, { headers, body: CODE[coding](encode(text)) });
        expect((await post(nested(20))).status).toBe(200);
        expect((await post(`["${"[".repeat(100)}\\"${"[".repeat(100)}"]`)).status).toBe(200);
        for (const text of [nested(21), '{"a":'.repeat(21) + "1" + "}".repeat(21), "[".repeat(21), `[${nested(20)}`]) {
          expectProblem(await post(text), 400, "ERR_WEBHOOK_JSON_DEPTH");
        }
      }
    }
    expect(messages).toHaveLength(18);
  });

  it("a mebibyte of brackets in a few octets is 400 at once", async () => {
    const { port } = await serveNode();
    const body = CODE.br("[".repeat(1_048_576));
    expect(body.length).toBeLessThan(100);
    expectProblem(await send(port, { headers: { "content-encoding": "br" }, body }), 400, "ERR_WEBHOOK_JSON_DEPTH");
  });
});

describe("an empty body [T9]", () => {
  const EMPTY: readonly [string, readonly string[], Buffer][] = [
    ["no length and no coding", [], Buffer.alloc(0)],
    ["a length of 0", ["Content-Length: 0"], Buffer.alloc(0)],
    ["no chunk but the last", ["Transfer-Encoding: chunked"], Buffer.from(LAST_CHUNK)],
    ...(["gzip", "deflate", "br"] as const).flatMap((coding): readonly [string, readonly string[], Buffer][] => {
      const coded = CODE[coding]("");
      const field = `Content-Encoding: ${coding}`;
      return [
        [`${coding} of nothing`, [field, `Content-Length: ${coded.length}`], coded],
        [
          `${coding} of nothing, in a chunk`,
          [field, "Transfer-Encoding: chunked"],
          Buffer.concat([chunk(coded), Buffer.from(LAST_CHUNK)]),
        ],
      ];
    }),
    ["a byte order mark alone", ["Content-Length: 3"], Buffer.from("\uFEFF")],
  ];

  it.each(EMPTY)("by %s is 400, and never an empty object", async (name, fields, octets) => {
    const { port, messages } = await serveNode();
    const request = Buffer.concat([
      Buffer.from(head(["Content-Type: application/json", "Connection: close", ...fields])),
      octets,
    ]);
    const { text, statuses } = await exchange(port, request);
    expect(statuses).toEqual([400]);
    expect(text).toContain(name.startsWith("a byte order mark") ? "ERR_WEBHOOK_JSON" : "ERR_WEBHOOK_BODY_EMPTY");
    expect(messages).toEqual([]);
  });

  it.each(["gzip", "deflate", "br"] as const)("by %s of no octets at all is 400", async (coding) => {
    const { port, messages } = await serveNode();
    for (const fields of [["Content-Length: 0"], [], ["Transfer-Encoding: chunked"]]) {
      const last = fields[0]?.startsWith("Transfer") ? LAST_CHUNK : "";
      const request =
        head(["Content-Type: application/json", "Connection: close", `Content-Encoding: ${coding}`, ...fields]) + last;
      expect((await exchange(port, request)).statuses).toEqual([400]);
    }
    expect(messages).toEqual([]);
  });
});

/** The same octets with all bits of one turned round; counted from the end if `at` is negative. */
function flipped(octets: Buffer, at: number): Buffer {
  const copy = Buffer.from(octets);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] as number) ^ 0xff;
  return copy;
}
