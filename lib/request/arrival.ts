/**
 * The octets of a request's body as sent: at once where they have all arrived, else as a stream that always settles.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { WebhookError } from "../errors";
import type { Framing } from "./field-lines";
import type { Lifetime } from "./lifetime";

const NOTHING = Buffer.alloc(0);

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

export type ArrivalOptions = {
  /** Octets let through before it fails. */
  readonly maxBytes: number;
  /** Told of each chunk's length; an error it returns ends the arrival. */
  readonly onOctets: (bytes: number) => WebhookError | undefined;
};

/**
 * A request's body on its way. It ends with the body, and is destroyed with a `WebhookError` when the sender goes away,
 * the limit is passed or the request's time is over. The request itself cannot be destroyed for that: it would take the
 * socket with it, and the answer.
 *
 * What has come is kept within the limit whoever reads, so nothing is gained by holding the sender back.
 */
export class Arrival extends Readable {
  /** All of it, whether or not somebody reads the stream. */
  readonly whole: Promise<Buffer>;
  readonly #request: IncomingMessage;
  #isWhole = false;
  #detach: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(request: IncomingMessage, lifetime: Lifetime, { maxBytes, onOctets }: ArrivalOptions) {
    super({ highWaterMark: maxBytes });
    this.#request = request;
    const chunks: Buffer[] = [];
    let received = 0;
    let finish: (octets: Buffer) => void;
    this.whole = new Promise((resolve, reject) => {
      finish = resolve;
      this.#fail = reject;
    });
    // Failing is told by "error" and by `whole`; nobody has to listen to both.
    this.whole.catch(() => {});
    this.on("error", () => {});

    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      const failure = received > maxBytes ? tooLarge(maxBytes) : onOctets(chunk.length);
      if (failure) {
        this.destroy(failure);
        return;
      }
      chunks.push(chunk);
      this.push(chunk);
    };
    const onEnd = (): void => {
      this.#detach();
      this.push(null);
      this.#isWhole = true;
      finish(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, received));
    };
    const onGone = (): void => void this.destroy(aborted());

    let stopWaiting = (): unknown => undefined;
    lifetime.reading++;
    this.#detach = () => {
      this.#detach = () => {};
      lifetime.reading--;
      stopWaiting();
      request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
    };
    request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
    stopWaiting = lifetime.whenOver((reason) => this.destroy(reason));
    // A request that was closed before we came will not say so again.
    if (request.destroyed && !request.readableEnded) onGone();
  }

  override _read(): void {}

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#detach();
    // What still comes is for whoever answers to drain: it is not to be pulled in without a bound.
    if (!this.#request.readableEnded) this.#request.pause();
    if (!this.#isWhole) this.#fail(error ?? aborted());
    callback(error);
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
