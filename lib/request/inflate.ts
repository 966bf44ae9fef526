/**
 * Undoes content codings (RFC 9110 section 8.4), bounded while it runs: in one shot where the octets are here, as a
 * stream while they arrive.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { WebhookError } from "../errors";
import { tooLarge } from "./arrival";
import { decoderOf, type ContentCoding, type DecoderStream } from "./content-coding";

export type InflateLimits = {
  /** Largest body once all codings are undone, in bytes. */
  readonly maxBytes: number;
  /** Largest body between two codings of a list, in bytes. */
  readonly maxEncodedBytes: number;
};

/** Up to this many octets come out in one go: a pause of about 5 ms. */
const AT_ONCE_BYTES = 1_048_576;
/** Nothing that deflate has coded becomes longer than so many times: a size that says otherwise is a lie. RFC 1951 */
const DEFLATE_RATIO = 1032;
/** How many decoders may be at work at once. Each may fill a window of 4 MiB before its first octet comes out. */
const AT_WORK = 8;
/** How many decoders may wait for octets on their way. Each holds its window meanwhile: 4 MiB for a dozen octets of Brotli. */
const LIVE = 8;

/**
 * Undoes the codings of a body that is here. Returns `undefined` for one that may be had, but not at once: it is larger
 * than what would make others wait.
 *
 * @throws WebhookError `ERR_WEBHOOK_BODY_TOO_LARGE`, `ERR_WEBHOOK_WINDOW_TOO_LARGE`, or `ERR_WEBHOOK_BODY_DAMAGED` for
 * octets that are cut short, broken, or go on after the coding's own end.
 */
export function inflateAtOnce(
  encoded: Buffer,
  codings: readonly ContentCoding[],
  limits: InflateLimits,
): Buffer | undefined {
  let octets = encoded;
  for (let at = codings.length - 1; at >= 0; at--) {
    const coding = codings[at] as ContentCoding;
    const limit = at === 0 ? limits.maxBytes : limits.maxEncodedBytes;
    const refusal = windowRefusal(coding, octets[0]);
    if (refusal) throw refusal;
    const inflated = inflateOne(octets, coding, Math.min(limit, AT_ONCE_BYTES));
    if (!inflated && limit > AT_ONCE_BYTES) return undefined;
    if (!inflated) throw tooLarge(limit);
    octets = inflated;
  }
  return octets;
}

/** Returns `undefined` if more came out than `maxOutputLength`. */
function inflateOne(encoded: Buffer, coding: ContentCoding, maxOutputLength: number): Buffer | undefined {
  let decoded;
  try {
    decoded = decoderOf(coding).oneShot(encoded, { maxOutputLength, chunkSize: firstChunkSize(encoded, coding) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw damaged(coding, cause);
  }
  // zlib is silent about what follows the end of a stream.
  if (decoded.engine.bytesWritten !== encoded.length) throw damaged(coding);
  return decoded.buffer;
}

/** A first buffer of the right size saves copies: gzip tells its size modulo 2^32 at its end (RFC 1952 section 2.3.1). */
function firstChunkSize(encoded: Buffer, coding: ContentCoding): number {
  const told =
    coding === "gzip" && encoded.length >= 18 ? encoded.readUInt32LE(encoded.length - 4) : 4 * encoded.length;
  return Math.max(1024, Math.min(told + 1, DEFLATE_RATIO * encoded.length, AT_ONCE_BYTES));
}

export type InflateStream = {
  /** The body with all codings undone. */
  readonly output: Readable;
  /** Settles once every coding has ended where its octets did; rejects with the first failure. */
  readonly ended: Promise<unknown>;
};

/** Undoes the codings of a body on its way. Whoever reads `output` bounds it; nothing is left running once it is destroyed. */
export function inflateStream(
  source: Readable,
  codings: readonly ContentCoding[],
  limits: InflateLimits,
): InflateStream {
  let output = source;
  const ends: Promise<void>[] = [];
  for (let at = codings.length - 1; at >= 0; at--) {
    const link = inflateLink(output, codings[at] as ContentCoding, output === source, limits);
    ends.push(link.ended);
    output = link.output;
  }
  const ended = Promise.all(ends);
  // The reader of `output` may fail first and never look at this one.
  ended.catch(() => {});
  return { output, ended };
}

function inflateLink(
  source: Readable,
  coding: ContentCoding,
  isOutermost: boolean,
  { maxEncodedBytes }: InflateLimits,
): { output: DecoderStream; ended: Promise<void> } {
  const output = decoderOf(coding).stream();
  // An inner coding works while the outer one holds a place: with a place of its own, the two could wait for each other.
  const turn = isOutermost ? atWork : atOnce;
  let received = 0;
  /** A chunk waits for its turn, or is worked on. */
  let isBusy = false;
  const ended = new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(error);
      output.destroy(error as Error);
      source.destroy(error as Error);
    };
    // For the stream's whole life: gzip followed by NUL and garbage emits "error" after "end".
    output.on("error", (cause) => fail(cause instanceof WebhookError ? cause : damaged(coding, cause)));
    output.on("close", () => source.destroy());
    source.on("error", fail);
    source.on("data", (chunk: Buffer) => {
      const refusal = received === 0 ? windowRefusal(coding, chunk[0]) : undefined;
      received += chunk.length;
      if (refusal) return fail(refusal);
      if (received > maxEncodedBytes) return fail(tooLarge(maxEncodedBytes));
      // A decoder that has met its coding's end takes no more: what follows does not belong to it.
      if (output.readableEnded) return fail(damaged(coding));
      source.pause();
      isBusy = true;
      turn((done) => {
        output.once("close", done);
        output.write(chunk, () => {
          output.off("close", done);
          done();
          isBusy = false;
          if (source.readableEnded) output.end();
          else source.resume();
        });
      });
    });
    const onEnd = (): void => {
      if (!source.readableEnded || !output.readableEnded) return;
      if (received === 0 || output.bytesWritten !== received) fail(damaged(coding));
      else resolve();
    };
    output.on("end", onEnd);
    source.on("end", () => {
      // A paused source still tells its end behind its last chunk, which may not have been written yet.
      if (!isBusy) output.end();
      onEnd();
    });
  });
  return { output, ended };
}

/** Brotli's first octet tells its window (RFC 7932 section 9.1; 0x11 is the large-window form that it leaves out). */
export function windowRefusal(coding: ContentCoding | undefined, first: number | undefined): WebhookError | undefined {
  if (coding !== "br" || first === undefined) return undefined;
  const bits = first & 0x0f;
  if (bits !== 0x0d && bits !== 0x0f && (first & 0x7f) !== 0x11) return undefined;
  return new WebhookError("ERR_WEBHOOK_WINDOW_TOO_LARGE", "The Brotli window is larger than 4 MiB (2^22).", {
    advice: "At the sender, set the Brotli window (lgwin) to 22 or less.",
  });
}

function damaged(coding: ContentCoding, cause?: unknown): WebhookError {
  return new WebhookError("ERR_WEBHOOK_BODY_DAMAGED", `The body is not valid ${coding}, or goes on after its end.`, {
    cause,
    ...(coding === "deflate" && {
      advice: '"deflate" means the zlib format (RFC 1950); bare deflate (RFC 1951) is refused.',
    }),
  });
}

let live = 0;

/**
 * Takes places for the decoders of a body on its way, and returns what gives them back. Returns `undefined` if there are
 * none: the body is to be inflated once it is whole, so that slow senders take from others nothing but the head start.
 */
export function takeLive(decoders: number): (() => void) | undefined {
  if (live + decoders > LIVE) return undefined;
  live += decoders;
  return () => void (live -= decoders);
}

type Work = (done: () => void) => void;

function atOnce(work: Work): void {
  work(() => {});
}

let working = 0;
const waiting: (() => void)[] = [];

/**
 * Runs a piece of work when a place is free. A place is held while a decoder has octets to work on, never while it waits
 * for a slow sender, who would else starve the others.
 */
function atWork(work: Work): void {
  if (working >= AT_WORK) {
    waiting.push(() => atWork(work));
    return;
  }
  working++;
  let held = true;
  work(() => {
    if (!held) return;
    held = false;
    working--;
    waiting.shift()?.();
  });
}
