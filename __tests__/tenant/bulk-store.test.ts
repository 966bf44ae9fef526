import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, inflateSync } from "node:zlib";
import { bulkDataHandler, type BulkData, type BulkStore } from "express-webhook-node/tenant/bulk-data";
import { folderBulkStore } from "express-webhook-node/tenant/bulk-store";
import { until } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";

const NAMES = { tenant: "acme", node: "orders" };
const DECODE = { gzip: gunzipSync, deflate: inflateSync };
const text = "Grüße, 世界\n".repeat(5000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulk-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
watchUnhandled();

/** `handleBulkData` over a folder. */
const intoFolder = (baseUrl?: string) => bulkDataHandler(folderBulkStore({ folder, baseUrl }), NAMES);

/** A stream that ends after some chunks, or fails there. */
function chunks(count: number, failure?: Error, size = 65_536): Readable {
  return Readable.from(
    (async function* () {
      for (let sent = 0; sent < count; sent++) yield Buffer.alloc(size, sent);
      if (failure) throw failure;
    })(),
    { objectMode: false },
  );
}

async function* inTwo(): AsyncIterable<string | Uint8Array> {
  yield text.slice(0, 100);
  yield Buffer.from(text.slice(100));
}

const reading: BulkStore = async (octets) => {
  for await (const _ of octets);
  return "memory:";
};

describe("handleBulkData", () => {
  it.each<[string, () => BulkData]>([
    ["text", () => text],
    ["a Buffer", () => Buffer.from(text)],
    ["part of a Uint8Array", () => new Uint8Array(Buffer.from(`<${text}>`)).subarray(1, -1)],
    ["a stream of Node's", () => Readable.from([Buffer.from(text)])],
    ["a stream with an encoding", () => Readable.from([Buffer.from(text)], { objectMode: false }).setEncoding("utf8")],
    [
      "a stream of the web's",
      () =>
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(text));
            controller.close();
          },
        }),
    ],
    ["an async generator of text and octets", () => inTwo()],
  ])("stores %s, by gzip or deflate, and returns a URL [F2]", async (_, data) => {
    for (const contentEncoding of ["gzip", "deflate"] as const) {
      const url = await intoFolder()(data(), { contentEncoding });
      expect(DECODE[contentEncoding](readFileSync(fileURLToPath(url))).toString()).toBe(text);
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it.each([
    ["text", ""],
    ["octets", Buffer.alloc(0)],
    ["a stream", Readable.from([])],
  ])("stores %s of no length [F2]", async (_, data) => {
    expect(gunzipSync(readFileSync(fileURLToPath(await intoFolder()(data)))).length).toBe(0);
  });

  it("tells the store the coding, and whose the data is; the coding is gzip unless told otherwise [F2]", async () => {
    const store = jest.fn(reading);
    const handle = bulkDataHandler(store, NAMES);
    await handle("x");
    await handle("x", { contentEncoding: "deflate" });
    expect(store.mock.calls.map(([, facts]) => facts)).toEqual([
      { tenant: "acme", node: "orders", contentEncoding: "gzip" },
      { tenant: "acme", node: "orders", contentEncoding: "deflate" },
    ]);
  });

  it.each([
    ["a text", async () => "https://files.example.com/x", "https://files.example.com/x"],
    ["a URL", async () => new URL("https://files.example.com/x"), "https://files.example.com/x"],
  ])("returns what the store resolves to, as text: %s [F2]", async (_, url: () => Promise<string | URL>, expected) => {
    const handle = bulkDataHandler(async (octets, facts) => (await reading(octets, facts), url()), NAMES);
    await expect(handle("x")).resolves.toBe(expected);
  });

  it.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["a number", 7],
  ])("refuses a store that resolves to %s, and no URL [F2]", async (_, value) => {
    const handle = bulkDataHandler(
      async (octets, facts) => (await reading(octets, facts), value) as unknown as string,
      NAMES,
    );
    await expect(handle("x")).rejects.toThrow(/^bulkStore: it resolved to .*, and no URL\.$/);
  });

  it("says what is missing where the tenant has no store [F2]", async () => {
    await expect(bulkDataHandler(undefined, NAMES)("x")).rejects.toThrow("the tenant has no bulkStore");
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["an object", { a: 1 }],
    ["an array", [1, 2]],
  ])("refuses %s, which is neither octets, nor text, nor a stream [F2]", async (_, data) => {
    await expect(intoFolder()(data as BulkData)).rejects.toThrow(/is neither octets, nor text, nor a stream of them/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["objects", { a: 1 }],
    ["numbers", 7],
    ["arrays", [1]],
  ])("refuses a stream of %s, and leaves nothing behind [F2]", async (_, chunk) => {
    const stream = Readable.from([Buffer.from("first"), chunk]);
    await expect(intoFolder()(stream)).rejects.toThrow(/the stream holds .*, and no octets/);
    expect(stream.destroyed).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(["br", "", "constructor", "GZIP"])("refuses the content encoding %j [F2]", async (contentEncoding) => {
    const handle = intoFolder();
    await expect(handle("x", { contentEncoding: contentEncoding as "gzip" })).rejects.toThrow(
      'is neither "gzip" nor "deflate"',
    );
  });

  it.each([
    [
      "was read to its end",
      async (stream: Readable) => {
        for await (const _ of stream);
      },
    ],
    ["was destroyed", async (stream: Readable) => void stream.destroy()],
  ])("refuses a stream that %s, which would be stored as nothing [F2]", async (_, spoil) => {
    const stream = chunks(2);
    await spoil(stream);
    await expect(intoFolder()(stream)).rejects.toThrow("the stream was read or closed before");
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each<[string, BulkStore, string]>([
    ["rejects before it has read", () => Promise.reject(new Error("no room")), "no room"],
    [
      "throws before it has read",
      () => {
        throw new Error("no room");
      },
      "no room",
    ],
    [
      "rejects while it reads",
      async (octets) => {
        for await (const _ of octets) throw new Error("no room");
        return "memory:";
      },
      "no room",
    ],
    ["resolves before it has read", async () => "memory:", "before it had read the stream to its end"],
  ])("rejects where the store %s, and closes the stream [F2]", async (_, store, message) => {
    const stream = chunks(200);
    await expect(bulkDataHandler(store, NAMES)(stream)).rejects.toThrow(message);
    await until(() => stream.destroyed);
  });

  it("rejects with the stream's own failure, whatever the store makes of it [F2]", async () => {
    const failure = new Error("the sender has gone");
    await expect(bulkDataHandler(reading, NAMES)(chunks(3, failure))).rejects.toBe(failure);
    const swallowing: BulkStore = (octets, facts) => reading(octets, facts).catch(() => "memory:");
    await expect(bulkDataHandler(swallowing, NAMES)(chunks(3, failure))).rejects.toBe(failure);
  });

  it("reads no further ahead than the store keeps up with [F2]", async () => {
    let produced = 0;
    async function* source(): AsyncIterable<Buffer> {
      // Octets that do not compress.
      while (produced++ < 1000) yield randomBytes(32_768);
    }
    let go = (): void => {};
    const going = new Promise<void>((resolve) => (go = resolve));
    const slow: BulkStore = async (octets, facts) => {
      await going;
      octets.destroy(new Error("enough"));
      return reading(octets, facts);
    };
    const stored = bulkDataHandler(slow, NAMES)(source());
    await until(() => produced > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // 32 KiB each: a few of them fill what the streams between hold.
    expect(produced).toBeLessThan(50);
    go();
    await expect(stored).rejects.toThrow("enough");
  });
});

describe("folderBulkStore", () => {
  it("names a file by the SHA-256 of the octets in it, so that the same data is the same file [F2]", async () => {
    const handle = intoFolder();
    const urls = await Promise.all(Array.from({ length: 20 }, () => handle(text)));
    const other = await handle("another text");

    expect(new Set(urls).size).toBe(1);
    expect(other).not.toBe(urls[0]);
    expect(readdirSync(folder)).toHaveLength(2);
    for (const name of readdirSync(folder)) {
      const digest = createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex");
      expect(name).toBe(`${digest}.gz`);
    }
  });

  it("shows a file once it is whole, and not before [F2]", async () => {
    const stream = new Readable({ read() {} });
    const stored = intoFolder()(stream);
    stream.push(Buffer.from(text));
    await until(() => readdirSync(folder).length > 0);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.[0-9a-f-]{36}\.partial$/)]);
    stream.push(null);
    const url = await stored;
    expect(readdirSync(folder).map((name) => pathToFileURL(join(folder, name)).href)).toEqual([url]);
  });

  it.each([
    ["https://files.example.com/bulk/", "https://files.example.com/bulk/"],
    ["https://files.example.com/bulk", "https://files.example.com/bulk/"],
    ["https://files.example.com", "https://files.example.com/"],
  ])("returns URLs below the base that readers know: %s [F2]", async (baseUrl, prefix) => {
    const [name] = [await intoFolder(baseUrl)("x")].map((url) => url.slice(prefix.length));
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("makes the folder, with those above it [F2]", async () => {
    const deep = join(folder, "a", "b c#%41");
    const url = await bulkDataHandler(folderBulkStore({ folder: deep }), NAMES)("x");
    expect(gunzipSync(readFileSync(fileURLToPath(url))).toString()).toBe("x");
    expect(statSync(deep).isDirectory()).toBe(true);
  });

  it("leaves nothing behind when the stream fails at the n-th chunk, for any n [F2]", async () => {
    for (const at of [0, 1, 2, 7]) {
      const failure = new Error(`chunk ${at}`);
      await expect(intoFolder()(chunks(at, failure))).rejects.toBe(failure);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it("leaves nothing behind when the signal fires, before or while it writes [F2]", async () => {
    const aborted = AbortSignal.abort(new Error("before"));
    await expect(intoFolder()(text, { signal: aborted })).rejects.toThrow(
      expect.objectContaining({ name: "AbortError" }),
    );
    expect(readdirSync(folder)).toEqual([]);

    const controller = new AbortController();
    const stream = new Readable({ read() {} });
    const stored = intoFolder()(stream, { signal: controller.signal });
    stored.catch(() => {});
    stream.push(Buffer.from(text));
    await until(() => readdirSync(folder).length > 0);
    controller.abort();
    await expect(stored).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(stream.destroyed).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves nothing behind when the file cannot get its name [F2]", async () => {
    const url = await intoFolder()("x");
    const [name] = readdirSync(folder);
    rmSync(fileURLToPath(url));
    mkdirSync(join(folder, name!, "in the way"), { recursive: true });
    await expect(intoFolder()("x")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("rejects when the folder has gone, and closes the stream [F2]", async () => {
    const handle = intoFolder();
    rmSync(folder, { recursive: true });
    const stream = chunks(100);
    await expect(handle(stream)).rejects.toThrow("ENOENT");
    await until(() => stream.destroyed);
  });

  it.each([
    ["no folder", {}, "folder: undefined is not a text, or an empty one."],
    ["an empty folder", { folder: "" }, 'folder: "" is not a text, or an empty one.'],
    ["a base that is no URL", { folder: ".", baseUrl: "files/bulk" }, 'baseUrl: "files/bulk" is no URL.'],
    ["a misspelt option", { folder: ".", baseURL: "x:" }, 'there is no option "baseURL". Did you mean baseUrl?'],
  ])("throws at start with %s [F2]", (_, options, message) => {
    expect(() => folderBulkStore(options as { folder: string })).toThrow(message);
  });

  it("throws at start where the folder is a file [F2]", async () => {
    const url = await intoFolder()("x");
    expect(() => folderBulkStore({ folder: fileURLToPath(url) })).toThrow("EEXIST");
  });
});
