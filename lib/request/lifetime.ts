/**
 * The one budget of time of a request: when it is over, all that waits on its behalf is told, once, with one reason.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";

/** What a step waits for. */
const SLOW: Readonly<Record<string, string>> = { authenticate: "The authenticator", emit: "The emitter" };

type Listener = (reason: WebhookError) => void;

export class Lifetime {
  readonly startedAt = performance.now();
  readonly #deadlineMs: number;
  #over: WebhookError | undefined;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #listeners: Set<Listener> | undefined;
  /** How many readers wait for octets: a deadline that strikes them is the sender's (408), any other is ours (503). */
  reading = 0;
  /** The step that the request is in. */
  step = "";

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /** Why the request is over, if it ended before its time. */
  get over(): WebhookError | undefined {
    return this.#over;
  }

  /** Fires when the budget is spent, or the sender has gone before the message was emitted. Made when first asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort(this.#over);
    else this.#arm();
    return this.#controller.signal;
  }

  /** Ends it early. What comes second changes nothing. */
  end(reason: WebhookError): void {
    if (this.#over || this.#closed) return;
    this.#over = reason;
    clearTimeout(this.#timer);
    this.#tell(reason);
    this.#controller?.abort(reason);
  }

  /** The request is decided: the time for it is not counted any more, and what still reads for it stops. */
  close(): void {
    if (this.#over || this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#listeners?.size) this.#tell(new WebhookError("ERR_WEBHOOK_ABORTED", "The request was answered already."));
  }

  /** Calls back once when it is over, now if it already is. Returns what takes the listener away. */
  whenOver(listener: Listener): () => void {
    this.#arm();
    this.#listen(listener);
    return () => this.#listeners?.delete(listener);
  }

  #listen(listener: Listener): void {
    if (this.#over) listener(this.#over);
    else (this.#listeners ??= new Set()).add(listener);
  }

  /** What `work` settles to, or the reason why the time for it was over first: `late` is called then. */
  race<T>(work: PromiseLike<T>, late?: () => void): Promise<T> {
    // Work that needs nothing but memory is done by the next tick, and needs no timer.
    process.nextTick(Lifetime.#armIfAwaited, this);
    return new Promise((resolve, reject) => {
      const listener = (reason: WebhookError): void => {
        late?.();
        reject(reason);
      };
      this.#listen(listener);
      work.then(
        (value) => {
          this.#listeners?.delete(listener);
          resolve(value);
        },
        (error: unknown) => {
          this.#listeners?.delete(listener);
          reject(error);
        },
      );
    });
  }

  #tell(reason: WebhookError): void {
    const listeners = this.#listeners;
    this.#listeners = undefined;
    listeners?.forEach((listener) => listener(reason));
  }

  static #armIfAwaited(this: void, lifetime: Lifetime): void {
    if (lifetime.#listeners?.size) lifetime.#arm();
  }

  // Most requests never wait, so the timer is set for those that do.
  #arm(): void {
    if (this.#timer !== undefined || this.#over || this.#closed) return;
    const left = this.#deadlineMs - (performance.now() - this.startedAt);
    this.#timer = setTimeout(() => this.end(this.#expired()), Math.max(0, left));
  }

  #expired(): WebhookError {
    if (this.reading > 0) {
      return new WebhookError("ERR_WEBHOOK_BODY_TIMEOUT", `The body had not arrived after ${this.#deadlineMs} ms.`);
    }
    return new WebhookError("ERR_WEBHOOK_DEADLINE", "The delivery could not be taken in time; send it again.", {
      headers: retryAfter(),
      advice: `${SLOW[this.step] ?? "The authenticator or the emitter"} had not settled after deadlineMs (${this.#deadlineMs}).`,
    });
  }
}
