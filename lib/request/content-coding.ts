/**
 * Reads a `Content-Encoding` field (RFC 9110 section 8.4), and knows how each coding is undone.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { WebhookError } from "../errors";

/** A content coding that a node can undo. `zstd` only where Node has it (22.15, 23.8 and later). */
export type ContentCoding = "br" | "deflate" | "gzip" | "zstd";

/** A decoder as a stream: `bytesWritten` tells how many octets it has consumed. */
export type DecoderStream = Transform & { readonly bytesWritten: number };

/** What a one-shot decoder tells: the octets that came out, and how many went in before the coding's own end. */
export type Decoded = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

export type Decoder = {
  readonly stream: () => DecoderStream;
  readonly oneShot: (encoded: Buffer, limits: { maxOutputLength: number; chunkSize: number }) => Decoded;
};

type Info = { readonly info: true; maxOutputLength: number; chunkSize: number };
// With `info: true` the functions return what the types of Node do not tell.
type OneShot = (encoded: Buffer, options: Info) => unknown;

// RFC 9659 lets a zstd window be 8 MiB; 4 MiB is what the widest Brotli window let through takes too.
const ZSTD_WINDOW_LOG_MAX = 22;
const zstd = zlib as unknown as {
  readonly createZstdDecompress?: (options: object) => DecoderStream;
  readonly zstdDecompressSync?: (encoded: Buffer, options: object) => unknown;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
};

function decoder(stream: () => DecoderStream, decode: OneShot): Decoder {
  return {
    stream,
    oneShot: (encoded, { maxOutputLength, chunkSize }) =>
      decode(encoded, { info: true, maxOutputLength, chunkSize }) as Decoded,
  };
}

function zstdDecoder(): Decoder | undefined {
  const { createZstdDecompress, zstdDecompressSync, constants } = zstd;
  if (!createZstdDecompress || !zstdDecompressSync || constants.ZSTD_d_windowLogMax === undefined) return undefined;
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return decoder(
    () => createZstdDecompress({ params }),
    (encoded, options) => zstdDecompressSync(encoded, { ...options, params }),
  );
}

const DECODERS: ReadonlyMap<string, Decoder | undefined> = new Map([
  ["br", decoder(() => zlib.createBrotliDecompress(), zlib.brotliDecompressSync as OneShot)],
  // "deflate" is the zlib format (RFC 9110 section 8.4.1.2); bare deflate is another thing under the same name.
  ["deflate", decoder(() => zlib.createInflate(), zlib.inflateSync as OneShot)],
  ["gzip", decoder(() => zlib.createGunzip(), zlib.gunzipSync as OneShot)],
  ["zstd", zstdDecoder()],
]);

/** The decoder of a coding. @throws TypeError if this Node has none for it: at start, where a node's codings are listed. */
export function decoderOf(coding: string): Decoder {
  const found = DECODERS.get(coding);
  if (found) return found;
  const known = [...DECODERS.keys()].filter((name) => DECODERS.get(name)).join(", ");
  throw new TypeError(`codings: ${JSON.stringify(coding)} is not a content coding of this Node; it has ${known}.`);
}

const NONE: readonly ContentCoding[] = [];
// RFC 9110 section 5.6.1: members of a list have optional white space around them. The look-ahead keeps a run of white space
// in one piece: split in every way, 16 KiB of it would take a tenth of a second.
const MEMBER = /^[ \t]*(?![ \t])([^ \t]*)[ \t]*$/;

/**
 * Reads one field value into codings, in the order in which they were applied. `identity` (section 12.5.3) is left out,
 * `x-gzip` is `gzip` (section 8.4.1.3). The first member that is no coding we know comes back as `unknown`. Never throws.
 */
export function parseContentEncoding(value: string): {
  readonly codings: readonly ContentCoding[];
  readonly unknown?: string;
} {
  const codings: ContentCoding[] = [];
  for (const member of value.split(",")) {
    const name = MEMBER.exec(member)?.[1]?.toLowerCase() ?? member;
    // RFC 9110 section 5.6.1.2: empty list members are to be ignored.
    if (name === "" || name === "identity") continue;
    const coding = name === "x-gzip" ? "gzip" : name;
    if (!DECODERS.has(coding)) return { codings: NONE, unknown: name };
    codings.push(coding as ContentCoding);
  }
  return { codings };
}

/** The codings that a node undoes unless told otherwise. */
export const DEFAULT_CODINGS: readonly ContentCoding[] = ["br", "deflate", "gzip"];
/** How long a list of codings may be. */
const MAX_CODINGS = 3;

/**
 * The codings of a request's body, in the order in which they were applied.
 *
 * @throws WebhookError `ERR_WEBHOOK_CONTENT_CODING` for a coding that is not accepted, and for too long a list.
 */
export function codingsOf({ headers }: IncomingMessage, accepted: readonly ContentCoding[]): readonly ContentCoding[] {
  const field = headers["content-encoding"];
  if (field === undefined) return NONE;
  const { codings, unknown } = parseContentEncoding(field);
  const refused = unknown ?? codings.find((coding) => !accepted.includes(coding));
  if (refused === undefined && codings.length <= MAX_CODINGS) return codings;
  throw new WebhookError(
    "ERR_WEBHOOK_CONTENT_CODING",
    refused === undefined
      ? `The body has more than ${MAX_CODINGS} content codings.`
      : `A content coding of the body is not supported; these are: ${accepted.join(", ")}.`,
    {
      // RFC 7694 section 3
      headers: { "Accept-Encoding": accepted.join(", ") || "identity" },
      advice: `The sender's Content-Encoding is ${JSON.stringify(field)}; set it to one that is supported, or to none.`,
    },
  );
}
