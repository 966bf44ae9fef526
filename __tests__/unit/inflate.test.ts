import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { WebhookError } from "express-webhook-node";
import type { ContentCoding } from "../../lib/request/content-coding";
import { inflateAtOnce, inflateStream } from "../../lib/request/inflate";

const CODINGS = ["gzip", "deflate", "br"] as const;
const CODE = {
  gzip: (octets: string | Buffer): Buffer => gzipSync(octets),
  deflate: (octets: string | Buffer): Buffer => deflateSync(octets),
  // The quality that it has by itself is a hundred times as slow.
  br: (octets: string | Buffer): Buffer =>
    brotliCompressSync(octets, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
} as const;
const LIMITS = { maxBytes: 1_048_576, maxEncodedBytes: 1_048_576 };

function coded(octets: Buffer, codings: readonly (typeof CODINGS)[number][]): Buffer {
  return codings.reduce<Buffer>((body, coding) => CODE[coding](body), octets);
}

/** Octets that nothing compresses. */
function noise(bytes: number): Buffer {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

/** Cuts octets behind each of these places. */
function cutAt(octets: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (octets.length + 1))), octets.length].sort((a, b) => a - b);
  return ends.map((end, at) => octets.subarray(ends[at - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}

/** Undoes codings of octets that come in pieces. Its failure is whichever of the two promises fails first. */
async function inflatePieces(
  pieces: readonly Buffer[],
  codings: readonly ContentCoding[],
  limits = LIMITS,
): Promise<Buffer> {
  const { output, ended } = inflateStream(Readable.from(pieces, { objectMode: false }), codings, limits);
  const octets = buffer(output);
  const [read] = await Promise.all([octets, ended]);
  return read;
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return error instanceof WebhookError ? error.code : String(error);
  }
}

const codingList = fc.array(fc.constantFrom(...CODINGS), { minLength: 1, maxLength: 3 });

describe("inflateAtOnce and inflateStream [A3]", () => {
  it("give back what was coded, by any list of codings and in any pieces", async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
      fc.integer({ min: 0, max: 70_000 }).map((bytes) => Buffer.alloc(bytes, "abc")),
    );
    const places = fc.array(fc.nat({ max: 2000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(body, codingList, places, async (octets, codings, cuts) => {
        const encoded = coded(octets, codings);
        expect(inflateAtOnce(encoded, codings, LIMITS)?.equals(octets)).toBe(true);
        expect((await inflatePieces(cutAt(encoded, cuts), codings)).equals(octets)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("give back what was coded, one octet at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), codingList, async (array, codings) => {
        const octets = Buffer.from(array);
        const pieces = Array.from(coded(octets, codings), (octet) => Buffer.of(octet));
        expect((await inflatePieces(pieces, codings)).equals(octets)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("[T4] undo more bodies at the same time than there are places for decoders at work", async () => {
    const octets = noise(3000);
    const work = Array.from({ length: 60 }, async (_, at) => {
      const codings = [CODINGS[at % 3] as (typeof CODINGS)[number], "gzip" as const].slice(at % 2);
      const encoded = coded(octets, codings);
      return (await inflatePieces(cutAt(encoded, [1000, 2000]), codings)).equals(octets);
    });
    expect(await Promise.all(work)).toEqual(work.map(() => true));
  });

  it("undo a list from right to left", () => {
    const encoded = CODE.br(CODE.gzip("a"));
    expect(inflateAtOnce(encoded, ["gzip", "br"], LIMITS)?.toString()).toBe("a");
    expect(() => inflateAtOnce(encoded, ["br", "gzip"], LIMITS)).toThrow(WebhookError);
  });

  it("undo several members of gzip, wherever they are cut", async () => {
    const members = Buffer.concat([CODE.gzip("one,"), CODE.gzip(""), CODE.gzip("two")]);
    expect(inflateAtOnce(members, ["gzip"], LIMITS)?.toString()).toBe("one,two");
    for (let place = 1; place < members.length; place++) {
      expect((await inflatePieces(cutAt(members, [place]), ["gzip"])).toString()).toBe("one,two");
    }
  });

  describe.each(CODINGS)("of %s", (coding) => {
    const text = "the quick brown fox jumps over the lazy dog ".repeat(40);
    const encoded = CODE[coding](text);

    it("refuse octets cut short anywhere", async () => {
      for (let length = 0; length < encoded.length; length += length < 20 || length > encoded.length - 20 ? 1 : 7) {
        const short = encoded.subarray(0, length);
        expect(await codeOf(() => inflateAtOnce(short, [coding], LIMITS))).toBe("ERR_WEBHOOK_BODY_DAMAGED");
        expect(await codeOf(() => inflatePieces(cutAt(short, [5, length >> 1]), [coding]))).toBe(
          "ERR_WEBHOOK_BODY_DAMAGED",
        );
      }
    });

    it("[T1, T2] refuse octets behind the end, wherever they are cut", async () => {
      for (const trailer of ["\0", "\0\0\0\0\0\0\0\0", "x", "\0garbage", "{}", "\x1f\x8b", "\x1f", "\n"]) {
        const body = Buffer.concat([encoded, Buffer.from(trailer, "latin1")]);
        expect(await codeOf(() => inflateAtOnce(body, [coding], LIMITS))).toBe("ERR_WEBHOOK_BODY_DAMAGED");
        for (const place of [10, encoded.length - 1, encoded.length, encoded.length + 1]) {
          expect([trailer, place, await codeOf(() => inflatePieces(cutAt(body, [place]), [coding]))]).toEqual([
            trailer,
            place,
            "ERR_WEBHOOK_BODY_DAMAGED",
          ]);
        }
        const octetByOctet = Array.from(body, (octet) => Buffer.of(octet));
        expect(await codeOf(() => inflatePieces(octetByOctet, [coding]))).toBe("ERR_WEBHOOK_BODY_DAMAGED");
      }
    });

    it("[T1] refuse octets behind the end of an inner coding", async () => {
      const body = CODE.gzip(Buffer.concat([encoded, Buffer.from("x")]));
      expect(await codeOf(() => inflateAtOnce(body, [coding, "gzip"], LIMITS))).toBe("ERR_WEBHOOK_BODY_DAMAGED");
      expect(await codeOf(() => inflatePieces([body], [coding, "gzip"]))).toBe("ERR_WEBHOOK_BODY_DAMAGED");
    });

    it("tell nothing but refusals of any octets, and the same in one piece and in several", async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.nat(), fc.nat(), async (array, at, place) => {
          const spoilt = Buffer.from(encoded);
          spoilt.set(
            array.slice(0, spoilt.length),
            at % spoilt.length > spoilt.length - array.length ? 0 : at % spoilt.length,
          );
          for (const octets of [Buffer.from(array), spoilt]) {
            const whole = await codeOf(() => inflateAtOnce(octets, [coding], LIMITS));
            expect([
              "none",
              "ERR_WEBHOOK_BODY_DAMAGED",
              "ERR_WEBHOOK_WINDOW_TOO_LARGE",
              "ERR_WEBHOOK_BODY_TOO_LARGE",
            ]).toContain(whole);
            if (whole === "ERR_WEBHOOK_BODY_TOO_LARGE") continue;
            expect(await codeOf(() => inflatePieces(cutAt(octets, [place]), [coding]))).toBe(whole);
          }
        }),
        { numRuns: 200 },
      );
    });

    it.each([1, 2, 1023, 1024, 16_384, 262_144])(
      "[T4] let %d octets through where that is the limit, and not one more",
      (limit) => {
        for (const content of [Buffer.alloc(limit, "ab"), noise(limit)]) {
          const limits = { maxBytes: limit, maxEncodedBytes: 1_048_576 };
          expect(inflateAtOnce(CODE[coding](content), [coding], limits)?.equals(content)).toBe(true);
          const more = CODE[coding](Buffer.concat([content, Buffer.from("x")]));
          expect(() => inflateAtOnce(more, [coding], limits)).toThrow(
            expect.objectContaining({ code: "ERR_WEBHOOK_BODY_TOO_LARGE" }) as WebhookError,
          );
          if (limit > 1)
            expect(() => inflateAtOnce(more, [coding], { ...limits, maxBytes: limit - 1 })).toThrow(WebhookError);
        }
      },
    );
  });

  it("[T4] bound what is between two codings by the limit of what is sent", async () => {
    const inner = noise(5000);
    const encoded = CODE.gzip(CODE.gzip(inner));
    const between = CODE.gzip(inner).length;
    for (const [maxEncodedBytes, code] of [
      [between + 100, "none"],
      [between - 1, "ERR_WEBHOOK_BODY_TOO_LARGE"],
    ] as const) {
      const limits = { maxBytes: 10_000, maxEncodedBytes };
      expect(await codeOf(() => inflateAtOnce(encoded, ["gzip", "gzip"], limits))).toBe(code);
      expect(await codeOf(() => inflatePieces([encoded], ["gzip", "gzip"], limits))).toBe(code);
    }
  });

  it("leave what is larger than a mebibyte to the stream, where the limit lets it", () => {
    const limits = { maxBytes: 4_194_304, maxEncodedBytes: 4_194_304 };
    expect(inflateAtOnce(CODE.gzip(Buffer.alloc(1_048_576)), ["gzip"], limits)?.length).toBe(1_048_576);
    expect(inflateAtOnce(CODE.gzip(Buffer.alloc(1_048_577)), ["gzip"], limits)).toBeUndefined();
  });
});

describe("the window of br [T3]", () => {
  const br = (params: Record<number, number>): Buffer => brotliCompressSync(noise(2000), { params });
  const both = async (body: Buffer): Promise<string[]> => [
    await codeOf(() => inflateAtOnce(body, ["br"], LIMITS)),
    await codeOf(() => inflatePieces(cutAt(body, [1, 2]), ["br"])),
    await codeOf(() => inflateAtOnce(CODE.gzip(body), ["br", "gzip"], LIMITS)),
    await codeOf(() => inflatePieces([CODE.gzip(body)], ["br", "gzip"])),
  ];

  it.each([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])("of 2^%d octets is let through", async (bits) => {
    expect(await both(br({ [constants.BROTLI_PARAM_LGWIN]: bits }))).toEqual(["none", "none", "none", "none"]);
  });

  it.each([23, 24])("of 2^%d octets is refused", async (bits) => {
    const code = "ERR_WEBHOOK_WINDOW_TOO_LARGE";
    expect(await both(br({ [constants.BROTLI_PARAM_LGWIN]: bits }))).toEqual([code, code, code, code]);
  });

  it.each([16, 22, 24, 25, 30])("of the large form is refused, also with 2^%d octets", async (bits) => {
    const code = "ERR_WEBHOOK_WINDOW_TOO_LARGE";
    const body = br({ [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: bits });
    expect(await both(body)).toEqual([code, code, code, code]);
  });

  // RFC 7932 section 9.1: the first octet's low bits hold WBITS.
  it("is told by the first octet alone: all 256 of them", () => {
    const refused = Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => {
      try {
        inflateAtOnce(Buffer.of(octet), ["br"], LIMITS);
      } catch (error) {
        return (error as WebhookError).code === "ERR_WEBHOOK_WINDOW_TOO_LARGE";
      }
      return false;
    });
    const expected = Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => {
      // 1101 and 1111 are 23 and 24 bits; 0010001 is what the large form begins with.
      return (octet & 0b1111) === 0b1101 || (octet & 0b1111) === 0b1111 || (octet & 0b111_1111) === 0b001_0001;
    });
    expect(refused).toEqual(expected);
  });
});
