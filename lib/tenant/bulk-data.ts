/**
 * Bulk data on its way to where the app keeps it: compressed while it streams.
 *
 * @module
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflate, createGzip } from "node:zlib";
import { shown } from "../request/options";
import type { Names } from "./logger";

/** Octets, text (as UTF-8), or a stream of either: Node's, the web's, or any other that can be read by `for await`. */
export type BulkData = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** How bulk data is compressed, by the names of content codings. RFC 9110 section 8.4.1. */
export type BulkEncoding = "gzip" | "deflate";

export type BulkDataOptions = {
  /** @defaultValue `"gzip"` */
  readonly contentEncoding?: BulkEncoding | undefined;
  /** Gives up when it fires, and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
};

/** What a store is told of the octets. */
export type BulkFacts = Names & { readonly contentEncoding: BulkEncoding };

/**
 * Keeps compressed octets, and resolves to their URL once it has them for good. It reads the stream to its end; if it
 * cannot, or the stream fails, it rejects and leaves nothing behind.
 */
export type BulkStore = (octets: Readable, facts: BulkFacts) => Promise<string | URL>;

export type HandleBulkData = (data: BulkData, options?: BulkDataOptions) => Promise<string>;

const ENCODERS = { gzip: createGzip, deflate: createDeflate };

/** Makes a node's `handleBulkData`. Without a store, each call of it fails and says what is missing. */
export function bulkDataHandler(store: BulkStore | undefined, names: Names): HandleBulkData {
  return async function handleBulkData(data, { contentEncoding = "gzip", signal } = {}) {
    if (!store) {
      throw new TypeError(
        `handleBulkData: the tenant has no bulkStore; make one, as in createTenant({ bulkStore: folderBulkStore({ folder }) }).`,
      );
    }
    if (!Object.hasOwn(ENCODERS, contentEncoding)) {
      throw new TypeError(`contentEncoding: ${shown(contentEncoding)} is neither "gzip" nor "deflate".`);
    }
    const source = readableOf(data);
    const encoder = ENCODERS[contentEncoding]();
    // The store hears of a failure as one of the stream that it reads, so nobody need wait for this promise.
    encoder.on("error", () => {});
    pipeline(source, octetsOf, encoder, { signal }).catch(() => {});
    try {
      const url: unknown = await store(encoder, { ...names, contentEncoding });
      if (encoder.errored) throw encoder.errored;
      if (!encoder.readableEnded) throw new Error("bulkStore: it resolved before it had read the stream to its end.");
      if (url instanceof URL) return url.href;
      if (typeof url === "string" && url !== "") return url;
      throw new TypeError(`bulkStore: it resolved to ${shown(url)}, and no URL.`);
    } finally {
      encoder.destroy();
    }
  };
}

function readableOf(data: BulkData): Readable {
  if (typeof data === "string") return Readable.from([data]);
  if (ArrayBuffer.isView(data)) return Readable.from([data]);
  if (typeof (data as Partial<typeof data> | null)?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError(`handleBulkData: ${shown(data)} is neither octets, nor text, nor a stream of them.`);
  }
  if (!(data instanceof Readable)) return Readable.from(data);
  // It would be stored as nothing at all.
  if (data.readableEnded || data.destroyed)
    throw new TypeError("handleBulkData: the stream was read or closed before.");
  return data;
}

/** An encoder that is written anything else ends the process: Node throws outside of the pipeline. */
async function* octetsOf(chunks: AsyncIterable<unknown>): AsyncIterable<string | Uint8Array> {
  for await (const chunk of chunks) {
    if (typeof chunk !== "string" && !ArrayBuffer.isView(chunk)) {
      throw new TypeError(`handleBulkData: the stream holds ${shown(chunk)}, and no octets.`);
    }
    yield chunk as string | Uint8Array;
  }
}
