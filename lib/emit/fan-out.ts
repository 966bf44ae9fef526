/**
 * Emitter: several receivers, all of which must have a message.
 *
 * @module
 */
import type { Emitter, Message } from "../message";
import { checkFunction } from "../request/options";
import { identityOf } from "./identity";
import { invoke } from "./invoke";
import { isPermanent } from "./permanent-error";

/** Deliveries of which it is known which receivers have them. */
const MAX_REMEMBERED = 10_000;
/** How long a receiver that has not settled is waited for by those who send a delivery again, in milliseconds. */
const PATIENCE_MS = 60_000;

/** What became of a message at each receiver: its promise, or nothing where it has failed or was not tried. */
type Parts = (Promise<void> | undefined)[];

/**
 * Creates an emitter that hands each message to all of the given ones at once, and settles when all have. If any fails, so
 * does the delivery; when it is sent again, only those get it that do not have it yet, as far as this process has not
 * forgotten (10,000 deliveries) and the delivery has an id. A receiver that has not settled for a minute gets it again.
 * Receivers tell the two by `message.key`.
 *
 * Where all that failed have done so for good (`PermanentError`), the failure is one for good, too.
 *
 * @throws TypeError at start, for less than two emitters, or anything else.
 */
export function fanOut<Payload = unknown>(...emitters: readonly Emitter<Payload>[]): Emitter<Payload> {
  if (emitters.length < 2) throw new TypeError("fanOut: it takes two emitters or more.");
  const ports = emitters.map((emitter, index) => checkFunction(`fanOut: emitter ${index}`, emitter) as Emitter);
  const remembered = new Map<string, Parts>();

  function partsOf(message: Message): Parts {
    if (message.deliveryId === undefined) return [];
    const key = identityOf(message);
    const parts = remembered.get(key) ?? [];
    // Put in again as the newest.
    remembered.delete(key);
    remembered.set(key, parts);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= MAX_REMEMBERED) break;
      remembered.delete(oldest);
    }
    return parts;
  }

  return async function fanOut(message, context) {
    const parts = partsOf(message);
    const tried = ports.map(
      (port, index) =>
        parts[index] ?? remember(parts, index, invoke(`emitter ${index} of fanOut`, port, message, context)),
    );
    const failures = (await Promise.allSettled(tried)).filter((one) => one.status === "rejected");
    const worst = failures.find(({ reason }) => !isPermanent(reason)) ?? failures[0];
    if (worst) throw worst.reason;
    // All have it. It is remembered only for a sender who was told to come again meanwhile: any other who sends it once more
    // wants it handed over once more.
    if (!context.signal.aborted) remembered.delete(identityOf(message));
  };
}

/** Remembers what was handed to a receiver, until that has failed or has let the others wait for too long. */
function remember(parts: Parts, index: number, work: Promise<void>): Promise<void> {
  const forget = (): void => {
    clearTimeout(timer);
    if (parts[index] === work) parts[index] = undefined;
  };
  const timer = setTimeout(forget, PATIENCE_MS).unref();
  parts[index] = work;
  work.then(() => clearTimeout(timer), forget);
  return work;
}
