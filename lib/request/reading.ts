/**
 * Reads the octets of a request's body, once for all who ask: as sent, and with content codings undone.
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
import type { Lifetime } from "./lifetime";
import { Octets } from "./octets";
import { bodyConsumed, octetsReadBefore } from "./read-before";
import { isLarge, turnFor } from "./turns";

/** What the reading of a body needs to know of the request that it belongs to. */
export type ReadingContext = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly framing: Framing;
  readonly lifetime: Lifetime;
  readonly limits: BodyLimits;
  readonly codings: readonly ContentCoding[];
  /** Reserves room for octets that are kept. An error it returns ends the reading. */
  readonly reserve: (bytes: number) => WebhookError | undefined;
};

/** How much JSON shrinks when it is coded, roughly. */
const USUAL_RATIO = 8;
/** How long a coded body is awaited whole, which is cheaper to inflate, before inflating starts with what is there. */
const PATIENCE_MS = 20;

const TICK = Promise.resolve();

export class BodyReading {
  /** Whether all octets were taken off the request, which itself tells so only later. */
  isTaken = false;
  /** Somebody wants the octets while they arrive: they are not held back to be inflated at once. */
  isLive = false;
  readonly #of: ReadingContext;
  readonly #maxSentBytes: number;
  /** The octets as sent, once all have arrived. */
  #sent: Octets | undefined;
  /** With codings undone. */
  #octets: Octets | undefined;
  /** More comes out than may be had at once. */
  #isLong = false;
  /** There was no room for what had arrived. */
  #refusal: WebhookError | undefined;
  #opening: Promise<Octets | Arrival> | undefined;
  #readingSent: Promise<Octets> | undefined;
  #reading: Promise<Octets> | undefined;
  /** Hear the octets, codings undone, of a reading that has not begun to bring any. */
  readonly #taps: ((octets: Buffer) => void)[] = [];

  constructor(context: ReadingContext) {
    this.#of = context;
    this.#maxSentBytes = maxSentBytes(context.limits, context.codings);
  }

  /** The octets with content codings undone. */
  octets(): Promise<Octets> {
    return (this.#reading ??= this.#read());
  }

  /** The octets as sent. */
  sent(): Promise<Octets> {
    if (this.#of.codings.length === 0) return this.octets();
    return (this.#readingSent ??= this.#readSent());
  }

  /**
   * The octets with codings undone, if they can be had without waiting: each promise on the way costs every request.
   *
   * @throws WebhookError as `octets()` rejects with.
   */
  now(): Octets | undefined {
    if (this.#octets || this.#reading || this.#readingSent) return this.#octets;
    try {
      return this.#readNow();
    } catch (error) {
      this.#reading = Promise.reject(error);
      this.#reading.catch(() => {});
      throw error;
    }
  }

  /** The octets as sent, if all have arrived by now. Of a body that nobody wanted they are taken off the request. */
  arrived(): Octets | undefined {
    const { request, framing } = this.#of;
    if (this.#sent || this.#reading || this.#readingSent || request.readableDidRead) return this.#sent;
    if (!hasArrived(request, framing) || request.readableLength > this.#maxSentBytes) return undefined;
    try {
      return this.#take();
    } catch {
      // There is no room for it.
      return undefined;
    }
  }

  /** Calls `listener` with the octets, codings undone: while they arrive, if nobody has asked for them before. */
  async each(listener: (octets: Buffer) => void): Promise<void> {
    let heard = false;
    let failure: { readonly error: unknown } | undefined;
    const tap = (octets: Buffer): void => {
      heard = true;
      // It is called by a stream, where what it throws would end the process.
      try {
        if (!failure) listener(octets);
      } catch (error) {
        failure = { error };
      }
    };
    if (!this.#reading && !this.#readingSent) this.#taps.push(tap);
    const octets = await this.octets();
    if (!heard) octets.pieces.forEach(tap);
    if (failure) throw failure.error;
  }

  async #read(): Promise<Octets> {
    // Octets that came with the header section are there once the parser has returned.
    await TICK;
    const now = this.#readNow();
    if (now) return now;
    const opened = await this.#open();
    return (this.#octets = await (opened instanceof Octets ? this.#inflate(opened) : this.#arriving(opened)));
  }

  async #readSent(): Promise<Octets> {
    await TICK;
    const opened = await this.#open();
    return opened instanceof Octets ? opened : opened.whole;
  }

  #readNow(): Octets | undefined {
    const { request, codings, limits } = this.#of;
    if (this.#octets) return this.#octets;
    const kept = octetsReadBefore(request);
    if (kept) {
      const maxBytes = codings.length === 0 ? this.#maxSentBytes : limits.maxBytes;
      return (this.#octets = this.#hold(Octets.of(kept), maxBytes));
    }
    if (!this.#sent && !this.#isHere()) return undefined;
    // What takes long to inflate has to wait for its turn.
    const sentBytes = this.#sent?.length ?? request.readableLength;
    if (codings.length > 0 && (this.#isLong || isLarge(sentBytes * USUAL_RATIO))) return undefined;
    const sent = this.#sent ?? this.#take();
    return (this.#octets = codings.length === 0 ? sent : this.#inflateAtOnce(sent));
  }

  #isHere(): boolean {
    const { request, framing, lifetime } = this.#of;
    if (this.#opening || request.readableDidRead || lifetime.over || request.headers.expect !== undefined) return false;
    return hasArrived(request, framing);
  }

  /** Opens the body once for all who ask: as octets where all have arrived, else as what is on its way. */
  #open(): Promise<Octets | Arrival> {
    return (this.#opening ??= this.#begin());
  }

  // As a promise, so that a failure is everybody's.
  async #begin(): Promise<Octets | Arrival> {
    const { request, response, lifetime, framing } = this.#of;
    if (this.#sent) return this.#sent;
    if (this.#refusal) throw this.#refusal;
    if (request.readableDidRead) throw bodyConsumed();
    refuseDeclared(framing, this.#maxSentBytes);
    if (lifetime.over) throw lifetime.over;
    // An app that handles "checkContinue" leaves the asking to us; else Node has asked already.
    if (request.headers.expect !== undefined && !(response as { _sent100?: boolean })._sent100)
      response.writeContinue();
    return hasArrived(request, framing) ? this.#take() : this.#arrive();
  }

  #take(): Octets {
    this.isTaken = true;
    try {
      return (this.#sent = this.#hold(Octets.of(takeWhole(this.#of.request)), this.#maxSentBytes));
    } catch (error) {
      this.#refusal = error as WebhookError;
      throw error;
    }
  }

  #arrive(): Arrival {
    const { request, lifetime } = this.#of;
    const arrival = new Arrival(request, lifetime, this.#maxSentBytes, this.#of);
    arrival.whole.then(
      (octets) => (this.#sent = octets),
      () => {},
    );
    return arrival;
  }

  async #arriving(arrival: Arrival): Promise<Octets> {
    const { codings } = this.#of;
    if (codings.length === 0) {
      arrival.hear((octets) => this.#tell(octets));
      return arrival.whole;
    }
    const leave = (await this.#isWantedLive(arrival)) ? takeLive(codings.length) : undefined;
    if (leave) return this.#inflateStream(arrival.stream()).finally(leave);
    arrival.hear((octets) => {
      const refusal = arrival.received === octets.length ? windowRefusal(codings.at(-1), octets[0]) : undefined;
      if (refusal) arrival.fail(refusal);
    });
    return this.#inflate(await arrival.whole);
  }

  /** Whether somebody hears the octets of a body on its way, and it is not here in a moment anyhow. */
  async #isWantedLive({ failure, whole }: Arrival): Promise<boolean> {
    if (failure) return false;
    return this.isLive || (this.#taps.length > 0 && !(await isSoon(whole)));
  }

  async #inflate(sent: Octets): Promise<Octets> {
    if (this.#of.codings.length === 0) return sent;
    const turn = turnFor(sent.length * USUAL_RATIO);
    if (turn) await turn;
    return this.#inflateAtOnce(sent) ?? this.#inflateStream(Readable.from([sent.whole], { objectMode: false }));
  }

  #inflateAtOnce(sent: Octets): Octets | undefined {
    const { codings, limits } = this.#of;
    const octets = this.#isLong ? undefined : inflateAtOnce(sent.whole, codings, limits);
    this.#isLong = !octets;
    return octets && this.#hold(Octets.of(octets), limits.maxBytes);
  }

  async #inflateStream(source: Readable): Promise<Octets> {
    const { codings, limits } = this.#of;
    const { output, ended } = inflateStream(source, codings, limits);
    // In pieces of an octet it takes seconds, also once all of them are here.
    const stop = this.#of.lifetime.whenOver((reason) => output.destroy(reason));
    output.on("data", (chunk: Buffer) => {
      const refusal = this.#of.reserve(chunk.length);
      if (refusal) output.destroy(refusal);
      else this.#tell(chunk);
    });
    try {
      const octets = await readAll(output, limits.maxBytes);
      await ended;
      return Octets.of(octets);
    } catch (error) {
      // A decoder's own error is told as what it means for the sender.
      if (!(error instanceof WebhookError)) await ended;
      throw error;
    } finally {
      stop();
    }
  }

  #tell(octets: Buffer): void {
    for (const tap of this.#taps) tap(octets);
  }

  /** Counts octets that are kept from now on. */
  #hold(octets: Octets, maxBytes: number): Octets {
    const refusal = octets.length > maxBytes ? tooLarge(maxBytes) : this.#of.reserve(octets.length);
    if (refusal) throw refusal;
    return octets;
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
