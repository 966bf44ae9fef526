/**
 * Step: lets in no more than memory has room for, and nobody while the node is draining.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";
import { checkOptions, positiveInteger } from "../request/options";
import { step, type Step } from "../request/step";
import { busy, Watermarks } from "./watermarks";

export type AdmissionOptions = {
  /**
   * Octets that all requests of the node may hold at once, in bytes: bodies as sent and with their codings undone, from
   * their arrival until the answer has gone and the emitter has settled. What would go beyond is refused with
   * `ERR_WEBHOOK_BUSY`: 503 with a `Retry-After` that grows for as long as the node is full.
   *
   * @defaultValue `134_217_728` (128 MiB)
   */
  readonly maxInFlightBytes?: number | undefined;
  /**
   * Once a request was refused for `maxInFlightBytes`, new ones are until no more than this is held, in bytes: so that a
   * full node does not take in and turn away by turns.
   *
   * @defaultValue three quarters of `maxInFlightBytes`
   */
  readonly resumeInFlightBytes?: number | undefined;
};

/** How many requests were under way when the time for draining was over. */
export type Drained = { readonly unanswered: number };

/** The step, and what it knows of the requests that it has let in. */
export type Admission = Step & {
  /** Octets held now, in bytes. */
  readonly inFlightBytes: number;
  /** Requests let in and not answered yet. */
  readonly inFlight: number;
  /**
   * Refuses new requests with `ERR_WEBHOOK_DRAINING` (503, `Connection: close`) from now on, and resolves once those
   * under way are answered and their emitters have settled, or after `timeoutMs`. Calling it again is the same drain.
   */
  drain: (options?: { readonly timeoutMs?: number | undefined }) => Promise<Drained>;
};

/**
 * Creates the step that counts octets in flight. They are counted as they come, not as they are announced, so a client
 * that announces much and sends nothing keeps nobody out.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function admission(options: AdmissionOptions = {}): Admission {
  checkOptions("admission", options);
  const { maxInFlightBytes: max = 134_217_728, resumeInFlightBytes: low = Math.ceil(max * 0.75) } = options;
  positiveInteger("maxInFlightBytes", max);
  positiveInteger("resumeInFlightBytes", low);
  if (options.resumeInFlightBytes !== undefined && low >= max) {
    throw new TypeError(`resumeInFlightBytes: ${low} is not less than maxInFlightBytes (${max}).`);
  }
  const watermarks = new Watermarks(max, low);
  let inFlight = 0;
  let unsettled = 0;
  let draining: Promise<Drained> | undefined;
  let emptied = (): void => {};

  const admit = step(function admission(record) {
    const { framing, surroundings } = record;
    if (draining) {
      throw new WebhookError("ERR_WEBHOOK_DRAINING", "The server is shutting down; send the delivery again.", {
        headers: { ...retryAfter(), Connection: "close" },
      });
    }
    const declared = typeof framing === "object" ? Math.min(framing.declaredBytes, record.limits.maxEncodedBytes) : 0;
    const full = watermarks.refusal(declared, surroundings);
    if (full) throw full;

    inFlight++;
    unsettled++;
    let held = 0;
    let isOver = false;
    const reserve = (bytes: number): WebhookError | undefined => {
      // What comes after the end has no part in the request any more.
      const refusal = isOver ? busy() : watermarks.take(bytes, surroundings);
      if (!refusal) held += bytes;
      return refusal;
    };
    record.reserve = reserve;
    // Nothing here refers to the record: a circle through its callbacks would outlive the collections of the young.
    record.whenDone(() => {
      inFlight--;
      isOver = true;
    });
    record.whenReleased(() => {
      watermarks.give(held, surroundings);
      if (--unsettled === 0) emptied();
    });
  });

  function drain(limit: { readonly timeoutMs?: number | undefined } = {}): Promise<Drained> {
    checkOptions("drain", limit, ["timeoutMs"]);
    const { timeoutMs = 10_000 } = limit;
    positiveInteger("timeoutMs", timeoutMs);
    return (draining ??= new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ unanswered: inFlight }), timeoutMs);
      emptied = () => {
        clearTimeout(timer);
        resolve({ unanswered: 0 });
      };
      if (unsettled === 0) emptied();
    }));
  }

  return Object.defineProperties(admit, {
    inFlight: { get: () => inFlight },
    inFlightBytes: { get: () => watermarks.bytes },
    drain: { value: drain },
  }) as Admission;
}
