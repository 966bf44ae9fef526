/**
 * The body of a request: read once, on demand, within limits, and had again in any form.
 *
 * @module
 */
import { Readable } from "node:stream";
import type { IncomingMessage, ServerResponse } from "node:http";
import rawBody from "raw-body";
import { WebhookError } from "../errors";
import { Arrival, hasArrived, takeWhole, tooLarge } from "./arrival";
import type { ContentCoding } from "./content-coding";
import type { Framing } from "./field-lines";
import { maxSentBytes, refuseDeclared, type BodyLimits } from "./body-limits";
import { inflateAtOnce, inflateStream, takeLive, windowRefusal } from "./inflate";
import { parseJson } from "./json";
import type { Lifetime } from "./lifetime";
import { bodyConsumed, octetsReadBefore } from "./read-before";
import { decodeText } from "./text";
import { turnFor } from "./turns";

/** The body as authenticators and handlers see it. Nothing is read before one of these is called. */
export type Body = {
  /** The octets as sent, content codings not undone: what `Content-Digest` (RFC 9530) covers. */
  encoded(): Promise<Buffer>;
  /** The octets with content codings undone: what a signature covers. */
  bytes(): Promise<Buffer>;
  /** The text, decoded by the charset of the `Content-Type` field, without a byte order mark. */
  text(): Promise<string>;
  /** The value parsed from the text. */
  json(): Promise<unknown>;
  /**
   * Calls `listener` with the octets, codings undone, piece by piece while they arrive if nobody asked before: for a digest.
   * Resolves once all have come.
   */
  each(listener: (octets: Buffer) => void): Promise<void>;
  /**
   * The octets with content codings undone, while they arrive if nobody asked before. It is destroyed with the failure
   * that the other forms reject with.
   */
  stream(): Readable;
};

/** A body that was read: what steps hand on. */
export type LoadedBody = {
  /** The octets with content codings undone. */
  readonly octets: Buffer;
  readonly text: string;
  readonly payload: unknown;
};

/** What a body needs to know of the request that it belongs to. */
export type BodyContext = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly framing: Framing;
  readonly lifetime: Lifetime;
  readonly limits: BodyLimits;
  readonly codings: readonly ContentCoding[];
  readonly charset: string | undefined;
  /** Told of all octets that are kept. An error it returns ends the reading. */
  readonly onOctets: (bytes: number) => WebhookError | undefined;
};

const TICK = Promise.resolve();
/** How much JSON shrinks when it is coded, roughly. */
const USUAL_RATIO = 8;
/** How long a coded body is awaited whole, which is cheaper to inflate, before inflating starts with what is there. */
const PATIENCE_MS = 20;

export class RequestBody implements Body {
  /** What the reading failed with, if it did: it outranks whatever the authenticator made of it. */
  failure: WebhookError | undefined;
  /** Whether all octets were taken off the request, which itself tells so only later. */
  isTaken = false;
  readonly #of: BodyContext;
  readonly #maxSentBytes: number;
  #opened: Promise<Buffer | Arrival> | undefined;
  /** The octets as sent, once all have arrived. */
  #sent: Buffer | undefined;
  #encoded: Promise<Buffer> | undefined;
  #bytes: Promise<Buffer> | undefined;
  #text: Promise<string> | undefined;
  #json: Promise<unknown> | undefined;
  #loaded: Promise<LoadedBody> | undefined;
  /** The text, once it is decoded. */
  #decoded: string | undefined;
  /** Hear the decoded octets of a reading that has not begun to bring any. */
  readonly #taps: ((octets: Buffer) => void)[] = [];
  /** Somebody wants the octets while they arrive: they are not held back to be inflated at once. */
  #isLive = false;

  constructor(context: BodyContext) {
    this.#of = context;
    this.#maxSentBytes = maxSentBytes(context.limits, context.codings);
  }

  encoded(): Promise<Buffer> {
    return (this.#encoded ??= this.#noting(this.#readEncoded()));
  }

  bytes(): Promise<Buffer> {
    if (this.#of.codings.length === 0) return this.encoded();
    return (this.#bytes ??= this.#noting(this.#readBytes()));
  }

  text(): Promise<string> {
    return (this.#text ??= this.#noting(this.bytes().then((octets) => this.#decode(octets))));
  }

  json(): Promise<unknown> {
    return (this.#json ??= this.#noting(this.load().then(({ payload }) => payload)));
  }

  /** All forms at once, for the steps: each promise on this way costs every request. */
  load(): Promise<LoadedBody> {
    return (this.#loaded ??= this.#noting(this.#load()));
  }

  each(listener: (octets: Buffer) => void): Promise<void> {
    return this.#noting(this.#readEach(listener));
  }

  /** The octets as sent, if all have arrived by now. Of a body that nobody wanted they are taken off the request. */
  arrived(): Buffer | undefined {
    const { request } = this.#of;
    if (this.#sent || this.#encoded || this.#opened || request.readableDidRead) return this.#sent;
    if (!hasArrived(request, this.#of.framing) || request.readableLength > this.#maxSentBytes) return undefined;
    try {
      return this.#take();
    } catch {
      // There is no room for it.
      return undefined;
    }
  }

  stream(): Readable {
    const copy = new Readable({ read() {} });
    // A reader that listens for no "error" has the failure from the other forms; it must not end the process.
    copy.on("error", () => {});
    this.#isLive = true;
    this.each((octets) => copy.push(octets)).then(
      () => copy.push(null),
      (error: Error) => copy.destroy(error),
    );
    return copy;
  }

  async #readEach(listener: (octets: Buffer) => void): Promise<void> {
    if (this.#bytes !== undefined || this.#encoded !== undefined) {
      listener(await this.bytes());
      return;
    }
    let heard = false;
    let failure: { readonly error: unknown } | undefined;
    this.#taps.push((octets) => {
      heard = true;
      // It is called by a stream, where what it throws would end the process.
      try {
        if (!failure) listener(octets);
      } catch (error) {
        failure = { error };
      }
    });
    const octets = await this.bytes();
    if (failure) throw failure.error;
    if (!heard) listener(octets);
  }

  async #readEncoded(): Promise<Buffer> {
    const { request, codings } = this.#of;
    const kept = codings.length === 0 ? octetsReadBefore(request) : undefined;
    if (kept) return this.#hold(kept, this.#maxSentBytes);
    // Octets that came with the header section are there once the parser has returned.
    if (!this.#isHere()) await TICK;
    if (this.#isHere()) return this.#take();
    const opened = await this.#open();
    if (Buffer.isBuffer(opened)) return opened;
    // The stream of coded octets is for whoever inflates them.
    if (codings.length > 0) return opened.whole;
    opened.on("data", (octets: Buffer) => this.#tell(octets));
    return readAll(opened, this.#maxSentBytes);
  }

  async #readBytes(): Promise<Buffer> {
    const { request, codings, limits } = this.#of;
    const kept = octetsReadBefore(request);
    if (kept) return this.#hold(kept, limits.maxBytes);
    const opened = await this.#open();
    if (Buffer.isBuffer(opened)) return this.#inflate(opened);
    const leave = (await this.#isWantedLive(opened)) ? takeLive(codings.length) : undefined;
    if (leave) return this.#inflateStream(opened).finally(leave);
    opened.once("data", (octets: Buffer) => {
      const refusal = windowRefusal(codings.at(-1), octets[0]);
      if (refusal) opened.destroy(refusal);
    });
    return this.#inflate(await opened.whole);
  }

  /** Whether somebody hears the octets of a body on its way, and it is not here in a moment anyhow. */
  async #isWantedLive(opened: Arrival): Promise<boolean> {
    // One that has failed has told so already, and will not again.
    if (opened.destroyed) return false;
    return this.#isLive || (this.#taps.length > 0 && !(await isSoon(opened.whole)));
  }

  async #load(): Promise<LoadedBody> {
    const octets = await this.bytes();
    const text = this.#decode(octets);
    const turn = turnFor(octets.length);
    if (turn) await turn;
    return { octets, text, payload: parseJson(octets, text, this.#of.limits.maxDepth) };
  }

  #decode(octets: Buffer): string {
    return (this.#decoded ??= decodeText(octets, this.#of.charset));
  }

  /** Opens the body once for all who ask: as octets where all have arrived, else as what is on its way. */
  #open(): Promise<Buffer | Arrival> {
    return (this.#opened ??= this.#begin());
  }

  async #begin(): Promise<Buffer | Arrival> {
    const { request, response, lifetime } = this.#of;
    if (request.readableDidRead) throw bodyConsumed();
    refuseDeclared(this.#of.framing, this.#maxSentBytes);
    if (lifetime.over) throw lifetime.over;
    // An app that handles "checkContinue" leaves the asking to us; else Node has asked already.
    if (request.headers.expect !== undefined && !(response as { _sent100?: boolean })._sent100)
      response.writeContinue();
    // Octets that came with the header section are there once the parser has returned.
    await TICK;
    return hasArrived(request, this.#of.framing) ? this.#take() : this.#arrive();
  }

  /** Whether a body without a coding can be taken as it is, with nothing to wait for and nothing to refuse. */
  #isHere(): boolean {
    const { request, lifetime, codings } = this.#of;
    if (codings.length > 0 || request.readableDidRead || lifetime.over || request.headers.expect !== undefined)
      return false;
    return hasArrived(request, this.#of.framing) && request.readableLength <= this.#maxSentBytes;
  }

  #take(): Buffer {
    this.isTaken = true;
    return (this.#sent = this.#hold(takeWhole(this.#of.request), this.#maxSentBytes));
  }

  #arrive(): Arrival {
    const { request, lifetime, onOctets } = this.#of;
    const arrival = new Arrival(request, lifetime, { maxBytes: this.#maxSentBytes, onOctets });
    arrival.whole.then(
      (octets) => (this.#sent = octets),
      () => {},
    );
    return arrival;
  }

  #inflate(encoded: Buffer): Buffer | Promise<Buffer> {
    const turn = turnFor(encoded.length * USUAL_RATIO);
    return turn ? turn.then(() => this.#inflateNow(encoded)) : this.#inflateNow(encoded);
  }

  #inflateNow(encoded: Buffer): Buffer | Promise<Buffer> {
    const { codings, limits } = this.#of;
    const octets = inflateAtOnce(encoded, codings, limits);
    if (octets) return this.#hold(octets, limits.maxBytes);
    return this.#inflateStream(Readable.from([encoded], { objectMode: false }));
  }

  async #inflateStream(source: Readable): Promise<Buffer> {
    const { codings, limits, onOctets } = this.#of;
    const { output, ended } = inflateStream(source, codings, limits);
    output.on("data", (chunk: Buffer) => {
      const refusal = onOctets(chunk.length);
      if (refusal) output.destroy(refusal);
      else this.#tell(chunk);
    });
    try {
      const octets = await readAll(output, limits.maxBytes);
      await ended;
      return octets;
    } catch (error) {
      // A decoder's own error is told as what it means for the sender.
      if (!(error instanceof WebhookError)) await ended;
      throw error;
    }
  }

  #tell(octets: Buffer): void {
    for (const tap of this.#taps) tap(octets);
  }

  /** Counts octets that are kept from now on. */
  #hold(octets: Buffer, maxBytes: number): Buffer {
    const refusal = octets.length > maxBytes ? tooLarge(maxBytes) : this.#of.onOctets(octets.length);
    if (refusal) throw refusal;
    return octets;
  }

  #noting<T>(reading: Promise<T>): Promise<T> {
    // Handled here, so that an authenticator that stops caring for a body leaves no rejection behind.
    reading.catch((error: unknown) => {
      if (error instanceof WebhookError) this.failure ??= error;
    });
    return reading;
  }
}

/** All octets of a stream of ours, which always settles. */
async function readAll(stream: Readable, limit: number): Promise<Buffer> {
  // Of one that has failed before it is read, raw-body tells only that it is not readable.
  if (stream.errored) throw stream.errored;
  try {
    return await rawBody(stream, { limit });
  } catch (error) {
    const failure = (error as { type?: unknown }).type === "entity.too.large" ? tooLarge(limit) : error;
    stream.destroy(failure as Error);
    throw failure;
  }
}

/** Whether `work` settles within the time that a body is awaited whole. */
function isSoon(work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    const settled = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(settled, settled);
  });
}
