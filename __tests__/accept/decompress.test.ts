import { createHash } from "node:crypto";
import http from "node:http";
import zlib, { brotliCompressSync, constants, deflateRawSync, gzipSync } from "node:zlib";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import {
  decompress,
  delivery,
  problem,
  type Body,
  type ContentCoding,
  type DecompressOptions,
} from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK, type Dialled } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, send, serve, serveNode, until, type Answered, type Served } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

quietConsole();
watchUnhandled();

const CODINGS = ["gzip", "deflate", "br"] as const;
type Coding = (typeof CODINGS)[number];

/** How a handler asks for the octets: once they are whole, or while they arrive. */
const READ = {
  bytes: (body: Body) => body.bytes(),
  stream: (body: Body) => buffer(body.stream()),
} as const;
type Read = keyof typeof READ;
const READS = Object.keys(READ) as Read[];

/** Serves a handler that answers with the octets that it was sent, codings undone, read as the request's target says. */
function serveEcho(options?: DecompressOptions): Promise<Served> {
  const echo = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void): void => {
    const read = req.url?.slice(1) as Read;
    READ[read](delivery(req).body).then((octets) => res.end(octets.toString("base64")), next);
  };
  return serve(decompress(options), echo, problem());
}

type Ways = { readonly read?: Read; readonly coding: string; readonly agent?: http.Agent };

function sendCoded(
  port: number,
  body: Buffer | readonly Buffer[],
  { read = "bytes", coding, agent }: Ways,
): Promise<Answered> {
  return send(port, { path: `/${read}`, body, headers: { "content-encoding": coding }, ...(agent && { agent }) });
}

/** What an answer comes to: the octets as text, or the status and code. */
function told({ status, text, json }: Answered): string {
  return status === 200 ? Buffer.from(text, "base64").toString() : `${status} ${json?.code}`;
}

const DAMAGED = "400 ERR_WEBHOOK_BODY_DAMAGED";
const UNSUPPORTED = "415 ERR_WEBHOOK_CONTENT_CODING";
const TOO_LARGE = "413 ERR_WEBHOOK_BODY_TOO_LARGE";
const WINDOW = "413 ERR_WEBHOOK_WINDOW_TOO_LARGE";

function coded(octets: Buffer | string, codings: readonly Coding[]): Buffer {
  return codings.reduce<Buffer>((body, coding) => CODE[coding](body), Buffer.from(octets));
}

/** Octets that nothing compresses. */
function noise(bytes: number): Buffer {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

/** Sends a body in pieces, each so much later that a decoder has met the one before. */
async function sendSlowly(port: number, pieces: readonly Buffer[], coding: string, read: Read): Promise<Dialled> {
  const connection = await dial(port);
  connection.write(
    head(["Transfer-Encoding: chunked", `Content-Encoding: ${coding}`, "Connection: close"], `POST /${read} HTTP/1.1`),
  );
  for (const piece of pieces) {
    connection.write(chunk(piece));
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  connection.write(LAST_CHUNK);
  await connection.answered();
  return connection;
}

describe("decompress [A3, T10]", () => {
  it("gives back any JSON, whatever its codings and however it is cut", async () => {
    const { port } = await serveEcho();
    const agent = new http.Agent({ keepAlive: true });
    const codings = fc.array(fc.constantFrom(...CODINGS), { maxLength: 3 });
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.jsonValue(),
          codings,
          fc.array(fc.nat({ max: 400 }), { maxLength: 5 }),
          fc.constantFrom(...READS),
          async (value, list, places, read) => {
            const text = JSON.stringify(value);
            const encoded = coded(text, list);
            const ends = [...new Set([...places, encoded.length].map((place) => Math.min(place, encoded.length)))].sort(
              (a, b) => a - b,
            );
            const pieces = ends
              .map((end, at) => encoded.subarray(ends[at - 1] ?? 0, end))
              .filter((piece) => piece.length > 0);
            const body = places.length === 0 ? encoded : pieces;
            expect(told(await sendCoded(port, body, { read, coding: list.join(", "), agent }))).toBe(text);
          },
        ),
        { numRuns: 150 },
      );
    } finally {
      agent.destroy();
    }
  });

  it("gives back any JSON that comes one octet at a time", async () => {
    const { port } = await serveEcho();
    const agent = new http.Agent({ keepAlive: true });
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.jsonValue({ maxDepth: 1 }),
          fc.array(fc.constantFrom(...CODINGS), { maxLength: 2 }),
          fc.constantFrom(...READS),
          async (value, list, read) => {
            const text = JSON.stringify(value);
            const pieces = Array.from(coded(text, list), (octet) => Buffer.of(octet));
            expect(told(await sendCoded(port, pieces, { read, coding: list.join(", "), agent }))).toBe(text);
          },
        ),
        { numRuns: 25 },
      );
    } finally {
      agent.destroy();
    }
  });

  it.each([
    ["GZip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["X-GZIP", ["gzip"]],
    ["BR", ["br"]],
    ["Deflate", ["deflate"]],
    ["identity", []],
    ["IDENTITY", []],
    ["", []],
    [",", []],
    [" gzip ", ["gzip"]],
    [",gzip,", ["gzip"]],
    ["gzip,,br", ["gzip", "br"]],
    ["gzip\t,\tbr", ["gzip", "br"]],
    ["identity, gzip", ["gzip"]],
    ["gzip, identity", ["gzip"]],
    ["identity,identity,identity,identity", []],
    ["deflate, x-gzip, br", ["deflate", "gzip", "br"]],
    ["gzip, gzip, gzip", ["gzip", "gzip", "gzip"]],
    ["identity, gzip, identity, gzip, identity, gzip", ["gzip", "gzip", "gzip"]],
  ] satisfies [string, Coding[]][])("reads the codings of %j", async (field, list) => {
    const { port } = await serveEcho();
    expect(told(await sendCoded(port, coded("body", list), { coding: field }))).toBe("body");
  });

  it("takes two lines for one list", async () => {
    const { port } = await serveEcho();
    const body = coded("body", ["gzip", "br"]);
    const connection = await dial(port);
    connection.write(
      head(
        ["Content-Encoding: gzip", "Content-Encoding: br", `Content-Length: ${body.length}`, "Connection: close"],
        "POST /bytes HTTP/1.1",
      ),
    );
    connection.write(body);
    await connection.closed;
    expect(connection.text()).toContain(`\r\n\r\n${Buffer.from("body").toString("base64")}`);
  });

  it("undoes a list from right to left", async () => {
    const { port } = await serveEcho();
    const body = coded("body", ["gzip", "br"]);
    expect(told(await sendCoded(port, body, { coding: "br, gzip" }))).toBe(DAMAGED);
    expect(told(await sendCoded(port, body, { coding: "gzip, br" }))).toBe("body");
  });

  it.each([
    "compress",
    "zstd",
    "nope",
    "gzip, nope",
    "nope, gzip",
    "gzip;q=1",
    "gzip br",
    "*",
    "constructor",
    "__proto__",
    "hasOwnProperty",
    "gzip, gzip, gzip, gzip",
    "br, br, br, br, br",
  ])("answers 415 with Accept-Encoding to %j", async (coding) => {
    const { port } = await serveEcho();
    const answered = await sendCoded(port, Buffer.from("body"), { coding });
    expect(told(answered)).toBe(UNSUPPORTED);
    expect(answered.headers["accept-encoding"]).toBe("br, deflate, gzip");
  });

  it("refuses a coding before the body is read", async () => {
    const { port } = await serveEcho();
    const connection = await dial(port);
    connection.write(head(["Content-Encoding: nope", "Content-Length: 1000"]));
    await connection.answered();
    expect(connection.statuses()).toEqual([415]);
  });

  it("undoes the codings that it is told, and names them", async () => {
    const { port } = await serveEcho({ codings: ["gzip"] });
    expect(told(await sendCoded(port, coded("body", ["gzip"]), { coding: "x-gzip" }))).toBe("body");
    const refused = await sendCoded(port, coded("body", ["br"]), { coding: "br" });
    expect([told(refused), refused.headers["accept-encoding"]]).toEqual([UNSUPPORTED, "gzip"]);
  });

  it("undoes none where it is told none", async () => {
    const { port } = await serveEcho({ codings: [] });
    expect(told(await sendCoded(port, Buffer.from("body"), { coding: "identity" }))).toBe("body");
    const refused = await sendCoded(port, coded("body", ["gzip"]), { coding: "gzip" });
    expect([told(refused), refused.headers["accept-encoding"]]).toEqual([UNSUPPORTED, "identity"]);
  });

  it.each([[["lzma"]], [["identity"]], [["x-gzip"]], [["GZIP"]], [["constructor"]], [[null]], ["gzip"], [{}], [null]])(
    "throws at start for codings that are %j",
    (codings) => {
      expect(() => decompress({ codings: codings as never })).toThrow(TypeError);
      expect(() => decompress({ codings: codings as never })).toThrow(/^codings: /);
    },
  );

  it("undoes several members of gzip", async () => {
    const { port } = await serveEcho();
    const members = [gzipSync("one,"), gzipSync("two,"), gzipSync("")];
    for (const read of READS) {
      expect(told(await sendCoded(port, Buffer.concat(members), { coding: "gzip", read }))).toBe("one,two,");
      expect(told(await sendCoded(port, members, { coding: "gzip", read }))).toBe("one,two,");
    }
    const connection = await sendSlowly(port, members, "gzip", "stream");
    await connection.closed;
    expect(connection.text()).toContain(Buffer.from("one,two,").toString("base64"));
  });

  it("answers 400 to bare deflate, and says in the log what deflate means", async () => {
    const { port, lines } = await serveNode();
    const refused = await send(port, { body: deflateRawSync("{}"), headers: { "content-encoding": "deflate" } });
    expect(told(refused)).toBe(DAMAGED);
    expect(lines).toEqual([expect.stringContaining("zlib format (RFC 1950)")]);
  });

  it.each(CODINGS)("answers 400 to %s that is cut short or is none", async (coding) => {
    const { port } = await serveEcho();
    const encoded = CODE[coding]("some text that is long enough to be cut in the middle of it");
    for (const body of [
      encoded.subarray(0, -1),
      encoded.subarray(0, 9),
      encoded.subarray(0, 1),
      Buffer.from("plain"),
      Buffer.alloc(0),
    ]) {
      for (const read of READS) {
        expect([body.length, told(await sendCoded(port, body, { coding, read }))]).toEqual([body.length, DAMAGED]);
        expect(told(await sendCoded(port, [body.subarray(0, 3), body.subarray(3)], { coding, read }))).toBe(DAMAGED);
      }
    }
  });
});

describe("octets behind the end of a coding [T1, T2]", () => {
  const trailers = ["\0", "\0\0\0\0", "x", "\0garbage", '{"a":1}', "\x1f\x8b\x08"];

  it.each(CODINGS)("are 400 behind %s, in one piece and in several, whole and while they arrive", async (coding) => {
    const { port } = await serveEcho();
    const encoded = CODE[coding]('{"good":true}');
    for (const trailer of trailers.map((text) => Buffer.from(text, "latin1"))) {
      const all = Buffer.concat([encoded, trailer]);
      for (const read of READS) {
        for (const body of [all, [encoded, trailer], [all.subarray(0, 5), all.subarray(5)]]) {
          expect([trailer.toString(), told(await sendCoded(port, body, { coding, read }))]).toEqual([
            trailer.toString(),
            DAMAGED,
          ]);
        }
      }
    }
  });

  it.each(CODINGS)("are 400 behind %s when they come later", async (coding) => {
    const { port } = await serveEcho();
    const encoded = CODE[coding]('{"good":true}');
    const pieces = [
      [encoded, Buffer.from("x")],
      [encoded, Buffer.from("\0")],
      [Buffer.concat([encoded, Buffer.from("\0")]), Buffer.from("garbage")],
      [Buffer.concat([encoded, Buffer.from("\0")]), Buffer.from("\0"), gzipSync("again")],
    ];
    await Promise.all(
      pieces.flatMap((list) =>
        READS.map(async (read) => expect((await sendSlowly(port, list, coding, read)).statuses()).toEqual([400])),
      ),
    );
    expect(told(await sendCoded(port, encoded, { coding }))).toBe('{"good":true}');
  });

  it("are 400 behind an inner coding", async () => {
    const { port } = await serveEcho();
    for (const inner of CODINGS) {
      const body = gzipSync(Buffer.concat([CODE[inner]("{}"), Buffer.from("x")]));
      for (const read of READS) {
        expect(told(await sendCoded(port, body, { coding: `${inner}, gzip`, read }))).toBe(DAMAGED);
        expect(
          told(await sendCoded(port, [body.subarray(0, 9), body.subarray(9)], { coding: `${inner}, gzip`, read })),
        ).toBe(DAMAGED);
      }
    }
  });
});

describe("the window of br [T3]", () => {
  const br = (params: Record<number, number>): Buffer => brotliCompressSync(noise(500), { params });

  it.each([10, 16, 18, 22])("of 2^%d octets is let through", async (bits) => {
    const { port } = await serveEcho();
    const body = br({ [constants.BROTLI_PARAM_LGWIN]: bits });
    for (const read of READS) expect((await sendCoded(port, body, { coding: "br", read })).status).toBe(200);
  });

  it.each([
    ["2^23", br({ [constants.BROTLI_PARAM_LGWIN]: 23 })],
    ["2^24", br({ [constants.BROTLI_PARAM_LGWIN]: 24 })],
    ["the large form", br({ [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 25 })],
    [
      "the large form, though small",
      br({ [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 }),
    ],
  ])("of %s is refused by its first octet", async (_, body) => {
    const { port } = await serveEcho();
    for (const read of READS) {
      expect(told(await sendCoded(port, body, { coding: "br", read }))).toBe(WINDOW);
      expect(told(await sendCoded(port, [body.subarray(0, 1), body.subarray(1)], { coding: "br", read }))).toBe(WINDOW);
      expect(told(await sendCoded(port, gzipSync(body), { coding: "br, gzip", read }))).toBe(WINDOW);
      // It does not wait for the rest.
      const connection = await dial(port);
      connection.write(head(["Content-Length: 1000", "Content-Encoding: br"], `POST /${read} HTTP/1.1`));
      connection.write(body.subarray(0, 1));
      await connection.answered();
      expect(connection.statuses()).toEqual([413]);
    }
  });
});

describe("decoders at work [T4]", () => {
  it("undo any number of bodies that come at once, in pieces", async () => {
    const { port } = await serveEcho();
    const text = noise(3000).toString("hex");
    await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const coding = CODINGS[at % 3] as Coding;
        const encoded = CODE[coding](text);
        const pieces = [encoded.subarray(0, 1000), encoded.subarray(1000, 1001), encoded.subarray(1001)];
        const connection = await sendSlowly(port, pieces, coding, READS[at % 2] as Read);
        await connection.closed;
        expect(connection.text().endsWith(Buffer.from(text).toString("base64")) || connection.text()).toBe(true);
      }),
    );
  });

  it("give their places back when their senders go, or send what is damaged", async () => {
    let heard = 0;
    const listen = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void): void => {
      const { body } = delivery(req);
      body.stream().on("data", () => heard++);
      body.bytes().then(() => res.end(), next);
    };
    const { port } = await serve(decompress(), listen, problem());
    const encoded = gzipSync(noise(40_000));
    const part = encoded.subarray(0, 30_000);
    const begin = async (octets: Buffer): Promise<Dialled> => {
      const connection = await dial(port);
      connection.write(head(["Transfer-Encoding: chunked", "Content-Encoding: gzip"]));
      connection.write(chunk(octets));
      return connection;
    };
    for (let round = 0; round < 4; round++) {
      heard = 0;
      const gone = await Promise.all(Array.from({ length: 4 }, () => begin(part)));
      await until(() => heard >= 4);
      for (const connection of gone) connection.cut();
      const damaged = await Promise.all(Array.from({ length: 4 }, () => begin(Buffer.from("no gzip"))));
      await Promise.all(damaged.map((connection) => connection.answered()));
      expect(damaged.flatMap((connection) => connection.statuses())).toEqual([400, 400, 400, 400]);
    }
    heard = 0;
    const live = await begin(part);
    await until(() => heard > 0);
    live.write(chunk(encoded.subarray(30_000)));
    live.write(LAST_CHUNK);
    await live.answered();
    expect(live.statuses()).toEqual([200]);
  });
});

describe("an empty body [T9]", () => {
  it.each<[string, readonly string[], string | Buffer]>([
    ["neither length nor chunks", [], ""],
    ["a length of 0", ["Content-Length: 0"], ""],
    ["no chunks", ["Transfer-Encoding: chunked"], LAST_CHUNK],
    ["no chunks, coded", ["Transfer-Encoding: chunked", "Content-Encoding: gzip"], LAST_CHUNK],
    ...CODINGS.flatMap((coding): [string, string[], string | Buffer][] => [
      [`a length of 0, coded by ${coding}`, ["Content-Length: 0", `Content-Encoding: ${coding}`], ""],
      [`nothing, coded by ${coding}`, [`Content-Encoding: ${coding}`], ""],
      [
        `${coding} of nothing`,
        [`Content-Length: ${CODE[coding]("").length}`, `Content-Encoding: ${coding}`],
        CODE[coding](""),
      ],
      [
        `${coding} of nothing in chunks`,
        ["Transfer-Encoding: chunked", `Content-Encoding: ${coding}`],
        Buffer.concat([chunk(CODE[coding]("")), Buffer.from(LAST_CHUNK)]),
      ],
    ]),
  ])("is 400 in a node, and no empty object: %s", async (_, lines, body) => {
    const { port, messages } = await serveNode();
    const connection = await dial(port);
    connection.write(head(["Content-Type: application/json", ...lines]));
    if (body.length > 0) connection.write(body);
    await connection.answered();
    expect(connection.statuses()).toEqual([400]);
    expect(connection.text()).toMatch(/ERR_WEBHOOK_BODY_(EMPTY|DAMAGED)/);
    expect(messages).toEqual([]);
  });

  it("is no octets to a handler, where it is no coding either", async () => {
    const { port } = await serveEcho();
    for (const read of READS) {
      expect((await send(port, { path: `/${read}` })).text).toBe("");
      expect((await send(port, { path: `/${read}`, body: [] })).text).toBe("");
      for (const coding of CODINGS) expect((await sendCoded(port, CODE[coding](""), { coding, read })).text).toBe("");
    }
  });

  it.each([" ", "\n\t ", "\uFEFF", "\uFEFF "])("is none of white space alone, which is no JSON: %j", async (body) => {
    const { port, messages } = await serveNode();
    expect(told(await send(port, { body }))).toBe("400 ERR_WEBHOOK_JSON");
    expect(messages).toEqual([]);
  });
});

describe("zstd [A3]", () => {
  // Node has it from 22.15 and 23.8 on; there each promise is tried, and elsewhere the one that it throws.
  const compress = (
    zlib as unknown as { readonly zstdCompressSync?: (octets: string | Buffer, options?: object) => Buffer }
  ).zstdCompressSync;
  const codings: readonly ContentCoding[] = ["gzip", "zstd"];

  it("is refused at start by a Node that has none, and else undone where it is asked for", async () => {
    if (!compress) {
      expect(() => decompress({ codings })).toThrow(/"zstd" is not a content coding of this Node/);
      return;
    }
    const { port } = await serveEcho({ codings });
    const text = noise(500).toString("hex");
    const encoded = compress(text);
    for (const read of READS) {
      for (const body of [encoded, [encoded.subarray(0, 9), encoded.subarray(9)]]) {
        expect(told(await sendCoded(port, body, { coding: "ZSTD", read }))).toBe(text);
      }
      expect(told(await sendCoded(port, gzipSync(encoded), { coding: "zstd, gzip", read }))).toBe(text);
      expect(told(await sendCoded(port, encoded.subarray(0, -3), { coding: "zstd", read }))).toBe(DAMAGED);
      expect(told(await sendCoded(port, Buffer.concat([encoded, Buffer.from("x")]), { coding: "zstd", read }))).toBe(
        DAMAGED,
      );
      expect(told(await sendCoded(port, [encoded, Buffer.from("\0x")], { coding: "zstd", read }))).toBe(DAMAGED);
      expect(told(await sendCoded(port, compress(Buffer.alloc(2_000_000)), { coding: "zstd", read }))).toBe(TOO_LARGE);
    }
    const refused = await sendCoded(port, Buffer.from("body"), { coding: "br" });
    expect(refused.headers["accept-encoding"]).toBe("gzip, zstd");
  });

  it("is not undone unasked", async () => {
    const { port } = await serveEcho();
    expect(told(await sendCoded(port, compress?.("body") ?? Buffer.from("body"), { coding: "zstd" }))).toBe(
      UNSUPPORTED,
    );
  });
});
