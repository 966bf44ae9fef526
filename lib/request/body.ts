/**
 * The body of a request: read once, on demand, within limits, and had again in any form.
 *
 * @module
 */
import { Readable } from "node:stream";
import { WebhookError } from "../errors";
import type { ContentType } from "./content-type";
import { parseJson } from "./json";
import type { Octets } from "./octets";
import { BodyReading, type ReadingContext } from "./reading";
import { decodeText } from "./text";

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

export type BodyContext = ReadingContext & { readonly contentType: ContentType | undefined };

const TICK = Promise.resolve();

export class RequestBody implements Body {
  /** What the reading failed with, if it did: it outranks whatever the authenticator made of it. */
  failure: WebhookError | undefined;
  readonly #of: BodyContext;
  readonly #reading: BodyReading;
  #encoded: Promise<Buffer> | undefined;
  #bytes: Promise<Buffer> | undefined;
  #text: Promise<string> | undefined;
  #json: Promise<unknown> | undefined;
  #loaded: Promise<LoadedBody> | undefined;
  /** The text, once it is decoded. */
  #decoded: string | undefined;

  constructor(context: BodyContext) {
    this.#of = context;
    this.#reading = new BodyReading(context);
  }

  /** Whether all octets were taken off the request, which itself tells so only later. */
  get isTaken(): boolean {
    return this.#reading.isTaken;
  }

  encoded(): Promise<Buffer> {
    return (this.#encoded ??= this.#noting(this.#reading.sent().then(({ whole }) => whole)));
  }

  bytes(): Promise<Buffer> {
    return (this.#bytes ??= this.#noting(this.#reading.octets().then(({ whole }) => whole)));
  }

  text(): Promise<string> {
    return (this.#text ??= this.#noting(this.#reading.octets().then((octets) => this.#decode(octets))));
  }

  json(): Promise<unknown> {
    return (this.#json ??= this.#noting(this.load().then(({ payload }) => payload)));
  }

  /** All that steps need, at once. */
  load(): Promise<LoadedBody> {
    return (this.#loaded ??= this.#load());
  }

  each(listener: (octets: Buffer) => void): Promise<void> {
    return this.#noting(this.#reading.each(listener));
  }

  stream(): Readable {
    const copy = new Readable({ read() {} });
    // A reader that listens for no "error" has the failure from the other forms; it must not end the process.
    copy.on("error", () => {});
    this.#reading.isLive = true;
    this.each((octets) => copy.push(octets)).then(
      () => copy.push(null),
      (error: Error) => copy.destroy(error),
    );
    return copy;
  }

  /** The octets as sent, if all have arrived by now. Of a body that nobody wanted they are taken off the request. */
  arrived(): Buffer | undefined {
    return this.#reading.arrived()?.whole;
  }

  async #load(): Promise<LoadedBody> {
    try {
      // Octets that came with the header section are there once the parser has returned.
      await TICK;
      const octets = this.#reading.now() ?? (await this.#reading.octets());
      const text = this.#decode(octets);
      const payload = parseJson(octets.whole, text, this.#of.limits.maxDepth);
      return { octets: octets.whole, text, payload };
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  #decode(octets: Octets): string {
    return (this.#decoded ??= decodeText(octets, this.#of.contentType?.charset));
  }

  #noting<T>(reading: Promise<T>): Promise<T> {
    // Handled here, so that an authenticator that stops caring for a body leaves no rejection behind.
    reading.catch((error: unknown) => this.#note(error));
    return reading;
  }

  #note(error: unknown): void {
    if (error instanceof WebhookError) this.failure ??= error;
  }
}
