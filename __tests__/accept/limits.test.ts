import { createHash } from "node:crypto";
import type http from "node:http";
import { buffer } from "node:stream/consumers";
import {
  begin,
  decompress,
  delivery,
  HTTPException,
  problem,
  type Body,
  type DecompressOptions,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { chunk, dial, head, LAST_CHUNK } from "../support/dial";
import { quietConsole } from "../support/quiet";
import { CODE, send, serve, serveNode, until, type Answered, type Served, type ServedNode } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

quietConsole();
watchUnhandled();

const CODINGS = ["gzip", "deflate", "br"] as const;
type Coding = (typeof CODINGS)[number];

const READ = {
  bytes: (body: Body) => body.bytes(),
  stream: (body: Body) => buffer(body.stream()),
} as const;
type Read = keyof typeof READ;
const READS = Object.keys(READ) as Read[];

type Sized = Served & { readonly reached: () => number };

/** Serves a handler that answers how many octets it was sent, read as the request's target says. */
async function serveSizes(options: DecompressOptions): Promise<Sized> {
  let reached = 0;
  const size = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void): void => {
    reached++;
    READ[req.url?.slice(1) as Read](delivery(req).body).then((octets) => res.end(`${octets.length}`), next);
  };
  const served = await serve(begin({ deadlineMs: 5000 }), decompress(options), size, problem());
  return { ...served, reached: () => reached };
}

const told = ({ status, text, json }: Answered): string => (status === 200 ? text : `${status} ${json?.code}`);
const TOO_LARGE = "413 ERR_WEBHOOK_BODY_TOO_LARGE";

/** Octets that nothing compresses. */
function noise(bytes: number): Buffer {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

/** The two ways a body may be sent in: with its length, and in chunks. */
const sent = (body: Buffer): [string, Buffer | Buffer[]][] => [
  ["declared", body],
  ["in one chunk", [body]],
  ["in chunks", [body.subarray(0, body.length >> 1), body.subarray(body.length >> 1)]],
];

describe("maxBytes [A3, T4]", () => {
  it.each([1, 100, 65_536, 70_001])("lets through %d octets and not one more", async (maxBytes) => {
    const { port } = await serveSizes({ maxBytes });
    for (const size of [maxBytes - 1, maxBytes, maxBytes + 1]) {
      for (const [way, body] of sent(Buffer.alloc(size, "a"))) {
        for (const read of READS) {
          const answered = await send(port, { path: `/${read}`, body });
          expect([size, way, read, told(answered)]).toEqual([size, way, read, size > maxBytes ? TOO_LARGE : `${size}`]);
        }
      }
    }
  });

  it.each(CODINGS)("counts the octets of %s with the coding undone", async (coding) => {
    const maxBytes = 20_000;
    const { port } = await serveSizes({ maxBytes });
    for (const size of [maxBytes - 1, maxBytes, maxBytes + 1]) {
      for (const content of [Buffer.alloc(size, "abc"), noise(size)]) {
        for (const [way, body] of sent(CODE[coding](content))) {
          for (const read of READS) {
            const answered = await send(port, { path: `/${read}`, body, headers: { "content-encoding": coding } });
            expect([size, way, read, told(answered)]).toEqual([
              size,
              way,
              read,
              size > maxBytes ? TOO_LARGE : `${size}`,
            ]);
          }
        }
      }
    }
  });

  it("is a mebibyte unless told otherwise", async () => {
    const { port } = await serveSizes({});
    for (const size of [1_048_576, 1_048_577]) {
      const wanted = size > 1_048_576 ? TOO_LARGE : `${size}`;
      expect(told(await send(port, { path: "/bytes", body: Buffer.alloc(size) }))).toBe(wanted);
      const body = CODE.gzip(Buffer.alloc(size));
      expect(told(await send(port, { path: "/bytes", body, headers: { "content-encoding": "gzip" } }))).toBe(wanted);
    }
  });

  it("may be larger than what is inflated in one go", async () => {
    const { port } = await serveSizes({ maxBytes: 3_000_000 });
    for (const coding of CODINGS) {
      for (const size of [3_000_000, 3_000_001]) {
        const body = CODE[coding](Buffer.alloc(size, "abcdefgh"));
        const answered = await send(port, { path: "/bytes", body, headers: { "content-encoding": coding } });
        expect([coding, told(answered)]).toEqual([coding, size > 3_000_000 ? TOO_LARGE : `${size}`]);
      }
    }
  });
});

describe("maxEncodedBytes [A3, T4]", () => {
  it.each(CODINGS)("lets through so many octets of %s as sent, and not one more", async (coding) => {
    const body = CODE[coding](noise(3000));
    for (const maxEncodedBytes of [body.length - 1, body.length, body.length + 1]) {
      const { port, reached } = await serveSizes({ maxEncodedBytes });
      for (const [way, octets] of sent(body)) {
        const before = reached();
        const answered = await send(port, { path: "/bytes", body: octets, headers: { "content-encoding": coding } });
        const isRefused = maxEncodedBytes < body.length;
        expect([way, told(answered)]).toEqual([way, isRefused ? TOO_LARGE : "3000"]);
        // What is declared is refused before the handler.
        expect(reached() - before).toBe(isRefused && way === "declared" ? 0 : 1);
      }
    }
  });

  it("is 64 KiB more than maxBytes unless told otherwise, and for no body without a coding", async () => {
    const { port } = await serveSizes({ maxBytes: 100 });
    const stored = (bytes: number): Buffer => Buffer.concat(Array.from({ length: bytes / 20 }, () => CODE.gzip("")));
    for (const [size, wanted] of [
      [65_620, "0"],
      [65_640, TOO_LARGE],
    ] as const) {
      expect(stored(size).length).toBe(size);
      const answered = await send(port, {
        path: "/bytes",
        body: stored(size),
        headers: { "content-encoding": "gzip" },
      });
      expect(told(answered)).toBe(wanted);
    }
    expect(told(await send(port, { path: "/bytes", body: "a".repeat(101) }))).toBe(TOO_LARGE);
  });

  it("bounds a body without a coding too, where it is the smaller one", async () => {
    const { port } = await serveSizes({ maxBytes: 100, maxEncodedBytes: 50 });
    expect(told(await send(port, { path: "/bytes", body: "a".repeat(50) }))).toBe("50");
    expect(told(await send(port, { path: "/bytes", body: "a".repeat(51) }))).toBe(TOO_LARGE);
    expect(told(await send(port, { path: "/bytes", body: ["a".repeat(50), "a"] }))).toBe(TOO_LARGE);
  });

  it("bounds what is between two codings", async () => {
    const { port } = await serveSizes({ maxBytes: 1000, maxEncodedBytes: 2000 });
    const bomb = CODE.gzip(CODE.gzip(Buffer.alloc(3_000_000)));
    expect(bomb.length).toBeLessThan(2000);
    for (const read of READS) {
      for (const body of [bomb, [bomb.subarray(0, 30), bomb.subarray(30)]]) {
        expect(told(await send(port, { path: `/${read}`, body, headers: { "content-encoding": "gzip, gzip" } }))).toBe(
          TOO_LARGE,
        );
      }
    }
  });
});

describe("a body beyond its limit that is never finished [T4, T5]", () => {
  const wordy = noise(40_000).toString("hex");

  it.each(CODINGS)("is 413 while it arrives, coded by %s: what is known needs no rest", async (coding) => {
    const { port } = await serveSizes({ maxBytes: 1000 });
    const bomb = CODE[coding](wordy);
    for (const framing of ["Transfer-Encoding: chunked", `Content-Length: ${bomb.length}`]) {
      const startedAt = performance.now();
      const connection = await dial(port);
      connection.write(head([framing, `Content-Encoding: ${coding}`], "POST /stream HTTP/1.1"));
      const part = bomb.subarray(0, bomb.length >> 1);
      connection.write(framing.startsWith("T") ? chunk(part) : part);
      await connection.answered();
      expect(connection.statuses()).toEqual([413]);
      expect(connection.text()).toContain("ERR_WEBHOOK_BODY_TOO_LARGE");
      // The budget of time is 5 s.
      expect(performance.now() - startedAt).toBeLessThan(2500);
    }
  });

  it.each(["identity", ...CODINGS])("is 413 as soon as too much has come, however it is read: %s", async (coding) => {
    const { port } = await serveSizes({ maxBytes: 1000, maxEncodedBytes: 1000 });
    for (const read of READS) {
      const startedAt = performance.now();
      const connection = await dial(port);
      connection.write(head(["Transfer-Encoding: chunked", `Content-Encoding: ${coding}`], `POST /${read} HTTP/1.1`));
      const octets = coding === "identity" ? noise(1200) : CODE[coding as Coding](noise(1200));
      connection.write(chunk(octets.subarray(0, 600)));
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(connection.statuses()).toEqual([]);
      connection.write(chunk(octets.subarray(600)));
      await connection.answered();
      expect(connection.statuses()).toEqual([413]);
      expect(performance.now() - startedAt).toBeLessThan(2500);
    }
  });

  it.each([undefined, "gzip"])("is 413 by its length, before an octet is read (%s)", async (coding) => {
    const { port, reached } = await serveSizes({ maxBytes: 1000 });
    const startedAt = performance.now();
    const connection = await dial(port);
    connection.write(
      head(["Content-Length: 10485760", ...(coding ? [`Content-Encoding: ${coding}`] : [])], "POST /bytes HTTP/1.1"),
    );
    await connection.answered();
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(connection.statuses()).toEqual([413]);
    expect(connection.text()).toContain("Connection: close");
    expect(reached()).toBe(0);
    if (coding === undefined) await connection.closed;
  });

  it.each([1, 3])("has its answer read by a sender that writes all %d MiB first", async (mebibytes) => {
    const { port } = await serveSizes({ maxBytes: 1000 });
    const body = Buffer.alloc(mebibytes * 1_048_576, "a");
    expect(told(await send(port, { path: "/bytes", body }))).toBe(TOO_LARGE);
    const chunks = Array.from({ length: mebibytes * 16 }, () => Buffer.alloc(65_536, "a"));
    for (const read of READS) expect(told(await send(port, { path: `/${read}`, body: chunks }))).toBe(TOO_LARGE);
  });

  it("has its answer read whole by a sender that keeps writing", async () => {
    const { port } = await serveSizes({ maxBytes: 1000 });
    const connection = await dial(port);
    connection.write(head(["Content-Length: 104857600"], "POST /bytes HTTP/1.1"));
    const piece = Buffer.alloc(65_536, "a");
    let written = 0;
    while (written < 3 * 1_048_576 && !connection.isClosed()) {
      connection.write(piece);
      written += piece.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await connection.closed;
    const [top = "", content = ""] = connection.text().split("\r\n\r\n");
    expect(connection.statuses()).toEqual([413]);
    expect(content.length).toBe(Number(/Content-Length: (\d+)/.exec(top)?.[1]));
    expect(JSON.parse(content)).toMatchObject({ status: 413, code: "ERR_WEBHOOK_BODY_TOO_LARGE" });
  });
});

describe("Expect: 100-continue [T5]", () => {
  /** Serves a node whose app hears "checkContinue". */
  async function serveExpecting(options: Partial<WebhookNodeOptions> = {}): Promise<ServedNode> {
    const served = await serveNode({ maxBytes: 1000, deadlineMs: 5000, ...options });
    served.server.on("checkContinue", served.app);
    return served;
  }

  const expecting = (...lines: readonly string[]): string => head(["Expect: 100-continue", ...lines]);

  it("is 100, then the answer, for a body that is wanted", async () => {
    const { port, messages } = await serveExpecting();
    for (const [framing, body] of [
      ["Content-Length: 7", '{"a":1}'],
      ["Transfer-Encoding: chunked", Buffer.concat([chunk('{"a":1}'), Buffer.from(LAST_CHUNK)])],
    ] as const) {
      const connection = await dial(port);
      connection.write(expecting("Content-Type: application/json", framing));
      await connection.answered();
      expect(connection.statuses()).toEqual([100]);
      connection.write(body);
      await connection.answered(2);
      expect(connection.statuses()).toEqual([100, 200]);
    }
    expect(messages.length).toBe(2);
  });

  it.each<[string, number, readonly string[], Partial<WebhookNodeOptions>]>([
    ["the length", 413, ["Content-Type: application/json", "Content-Length: 1001"], {}],
    ["the media type", 415, ["Content-Type: text/html", "Content-Length: 7"], {}],
    ["the coding", 415, ["Content-Type: application/json", "Content-Length: 7", "Content-Encoding: nope"], {}],
    [
      "an authenticator that looks at fields alone",
      401,
      ["Content-Type: application/json", "Content-Length: 7"],
      {
        authenticator: () => {
          throw new HTTPException(401);
        },
      },
    ],
    [
      "an authenticator that returns null",
      403,
      ["Content-Type: application/json", "Content-Length: 7"],
      { authenticator: () => null },
    ],
  ])("is the refusal instead of 100, by %s", async (_, status, lines, options) => {
    const { port, messages } = await serveExpecting(options);
    const startedAt = performance.now();
    const connection = await dial(port);
    connection.write(expecting(...lines));
    await connection.answered();
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(connection.statuses()).toEqual([status]);
    expect(connection.text()).toContain("Connection: close");
    expect(messages).toEqual([]);
  });

  it("is 100 once, however often the body is asked for", async () => {
    const { port } = await serveExpecting({
      authenticator: async ({ body }) => {
        const readings = [body.encoded(), body.bytes(), body.text(), body.json()];
        await Promise.all(readings);
        await body.bytes();
        return null;
      },
      anonymous: "accept",
    });
    for (const coding of ["identity", "gzip"] as const) {
      const body = CODE[coding]("{}");
      const connection = await dial(port);
      connection.write(
        expecting("Content-Type: application/json", `Content-Length: ${body.length}`, `Content-Encoding: ${coding}`),
      );
      await connection.answered();
      connection.write(body);
      await connection.answered(2);
      expect(connection.statuses()).toEqual([100, 200]);
    }
  });

  it("does not hold up a sender that does not wait for 100", async () => {
    const { port } = await serveExpecting();
    const connection = await dial(port);
    connection.write(`${expecting("Content-Type: application/json", "Content-Length: 2")}{}`);
    await until(() => connection.statuses().includes(200));
    expect(connection.statuses()).toEqual([100, 200]);
  });

  it("is answered by Node itself where the app does not hear it", async () => {
    const { port, messages } = await serveNode();
    const connection = await dial(port);
    connection.write(expecting("Content-Type: application/json", "Content-Length: 2"));
    await connection.answered();
    connection.write("{}");
    await connection.answered(2);
    expect(connection.statuses()).toEqual([100, 200]);
    expect(messages.length).toBe(1);
  });
});
