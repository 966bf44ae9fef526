/**
 * The octets of a request's body as sent: at once where they have all arrived, else while they arrive.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { WebhookError } from "../errors";
import type { Framing } from "./field-lines";
import type { Lifetime } from "./lifetime";
import { Octets } from "./octets";

const NOTHING = Buffer.alloc(0);
const nothing = (): void => {};
/** A body may come octet by octet, and each piece takes a hundred more: so many are joined, unless they are large ones. */
const JOINED_PIECES = 1024;
const JOINED_BYTES = 1_048_576;

/** Whether the whole body is here already, so that one `read()` gets it. */
export function hasArrived(request: IncomingMessage, framing: Framing): boolean {
  if (framing === "none" || request.complete) return true;
  return framing !== "chunked" && request.readableLength === framing.declaredBytes;
}

/** Takes a body that has arrived whole, and lets the connection go on to its next request. */
export function takeWhole(request: IncomingMessage): Buffer {
  const octets = (request.read() as Buffer | null) ?? NOTHING;
  request.resume();
  return octets;
}

/** Reserves room for octets that are kept. An error it returns ends the arrival. */
type Room = { readonly reserve: (bytes: number) => WebhookError | undefined };

/**
 * A request's body on its way. It always settles: with the body, or with a `WebhookError` when the sender goes away, the
 * limit is passed or the request's time is over. The request itself cannot be destroyed for that: it would take the socket
 * with it, and the answer.
 *
 * What has come is kept within the limit whoever hears it, so nothing is gained by holding the sender back.
 */
export class Arrival {
  /** All of it. */
  readonly whole: Promise<Octets>;
  /** Why it has failed, if it has. */
  failure: Error | undefined;
  /** How many octets have come. */
  received = 0;
  readonly #request: IncomingMessage;
  readonly #pieces: Buffer[] = [];
  /** Pieces that were not looked at to be joined, and their octets. */
  #loose = { pieces: 0, bytes: 0 };
  #isWhole = false;
  readonly #listeners: ((piece: Buffer) => void)[] = [];
  #stream: Readable | undefined;
  #detach: (() => void) | undefined;
  #reject: (error: Error) => void = nothing;

  constructor(request: IncomingMessage, lifetime: Lifetime, maxBytes: number, room: Room) {
    this.#request = request;
    let resolve: (octets: Octets) => void;
    this.whole = new Promise((...settle) => ([resolve, this.#reject] = settle));
    // Whoever reads the stream hears of a failure there.
    this.whole.catch(() => {});

    const onData = (piece: Buffer): void => {
      this.received += piece.length;
      const failure = this.received > maxBytes ? tooLarge(maxBytes) : room.reserve(piece.length);
      if (failure) this.fail(failure);
      else this.#keep(piece);
    };
    const onEnd = (): void => {
      this.#detach?.();
      this.#isWhole = true;
      this.#stream?.push(null);
      resolve(new Octets(this.#pieces, this.received));
    };
    const onGone = (): void => this.fail(aborted());

    let stopWaiting = nothing;
    lifetime.reading++;
    const detach = (): void => {
      this.#detach = undefined;
      lifetime.reading--;
      stopWaiting();
      request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    };
    request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
    // Not as a literal: what is assigned to a member so, V8 takes for a method, and allocates among the old. Dead, it would
    // keep all that it sees, and the body, until those are collected.
    this.#detach = detach;
    stopWaiting = lifetime.whenOver((reason) => this.fail(reason));
    // A request that was closed before we came will not say so again.
    if (request.destroyed && !request.readableEnded) onGone();
  }

  /** Calls `listener` with each piece that comes from now on. */
  hear(listener: (piece: Buffer) => void): void {
    this.#listeners.push(listener);
  }

  /** Ends it early. Once it is whole, or has failed, this changes nothing. */
  fail(error: Error): void {
    if (this.#isWhole || this.failure) return;
    this.failure = error;
    this.#detach?.();
    // What still comes is for whoever answers to drain: it is not to be pulled in without a bound.
    if (!this.#request.readableEnded) this.#request.pause();
    this.#stream?.destroy(error);
    this.#reject(error);
  }

  /** All of it as a stream, from its beginning: destroying that one ends the arrival. */
  stream(): Readable {
    const stream = new Readable({
      read() {},
      destroy: (error, callback) => {
        this.fail(error ?? aborted());
        callback(error);
      },
    });
    for (const piece of this.#pieces) stream.push(piece);
    if (this.#isWhole) stream.push(null);
    if (this.failure) stream.destroy(this.failure);
    return (this.#stream = stream);
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#loose.pieces++;
    this.#loose.bytes += piece.length;
    if (this.#loose.pieces === JOINED_PIECES) this.#join();
    for (const listener of this.#listeners) listener(piece);
    // A listener may have ended it.
    if (!this.failure) this.#stream?.push(piece);
  }

  #join(): void {
    const { pieces, bytes } = this.#loose;
    this.#loose = { pieces: 0, bytes: 0 };
    if (bytes < JOINED_BYTES) this.#pieces.push(Buffer.concat(this.#pieces.splice(-pieces), bytes));
  }
}

export function tooLarge(maxBytes: number): WebhookError {
  return new WebhookError("ERR_WEBHOOK_BODY_TOO_LARGE", `The body is larger than ${maxBytes} bytes.`, {
    advice: "If the sender is right to send that much, raise maxBytes.",
  });
}

export function aborted(): WebhookError {
  return new WebhookError("ERR_WEBHOOK_ABORTED", "The connection was closed before the whole request had arrived.");
}
