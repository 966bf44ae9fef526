/**
 * Step: lets in no more than memory has room for, and nobody while the node is draining.
 *
 * @module
 */
import { retryAfter, WebhookError } from "../errors";
import { framingOf } from "../request/field-lines";
import { checkOptions, positiveInteger } from "../request/options";
import { step, type Step } from "../request/step";

export type AdmissionOptions = {
  /**
   * Octets that all requests of the node may hold at once, in bytes: bodies as sent and with their codings undone, from
   * their arrival to the answer. What would go beyond is refused with `ERR_WEBHOOK_BUSY`: 503 with `Retry-After`.
   *
   * @defaultValue `134_217_728` (128 MiB)
   */
  readonly maxInFlightBytes?: number | undefined;
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
   * under way are answered, or after `timeoutMs`. Calling it again is the same drain.
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
  const { maxInFlightBytes = 134_217_728 } = options;
  const max = positiveInteger("maxInFlightBytes", maxInFlightBytes);
  let inFlight = 0;
  let inFlightBytes = 0;
  let draining: Promise<Drained> | undefined;
  let emptied = (): void => {};

  const admit = step(function admission(record) {
    const { request } = record;
    if (draining) {
      throw new WebhookError("ERR_WEBHOOK_DRAINING", "The server is shutting down; send the delivery again.", {
        headers: { ...retryAfter(), Connection: "close" },
      });
    }
    const framing = framingOf(request);
    const declared = typeof framing === "object" ? Math.min(framing.declaredBytes, record.limits.maxEncodedBytes) : 0;
    if (inFlightBytes + declared > max) throw busy();

    inFlight++;
    let held = 0;
    record.reserve = (bytes) => {
      if (inFlightBytes + bytes > max) return busy();
      held += bytes;
      inFlightBytes += bytes;
      return undefined;
    };
    record.whenDone(() => {
      inFlightBytes -= held;
      record.reserve = busy;
      if (--inFlight === 0) emptied();
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
      if (inFlight === 0) emptied();
    }));
  }

  return Object.defineProperties(admit, {
    inFlight: { get: () => inFlight },
    inFlightBytes: { get: () => inFlightBytes },
    drain: { value: drain },
  }) as Admission;
}

function busy(): WebhookError {
  return new WebhookError("ERR_WEBHOOK_BUSY", "Too much is under way; send the delivery again.", {
    headers: retryAfter(),
    advice: "The octets of all requests under way have reached maxInFlightBytes: is the emitter slow?",
  });
}
