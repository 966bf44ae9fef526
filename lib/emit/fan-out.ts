/**
 * Emitter: several receivers, all of which must have a message.
 *
 * @module
 */
import type { EmitContext, Emitter, Message } from "../message";
import { checkFunction } from "../request/options";
import { invoke } from "./invoke";
import { isPermanent } from "./permanent-error";

/** Deliveries of which it is known which receivers have them. */
const MAX_REMEMBERED = 10_000;

/** What became of a message at each receiver: its promise, or nothing where it has failed or was not tried. */
type Parts = (Promise<void> | undefined)[];

/**
 * Creates an emitter that hands each message to all of the given ones at once, and settles when all have. If any fails, so
 * does the delivery; when it is sent again, only those get it that do not have it yet, as far as this process has not
 * forgotten (10,000 deliveries) and the delivery has an id. Other receivers tell the two by `message.key`.
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
    const parts = remembered.get(message.key) ?? [];
    // Put in again as the newest.
    remembered.delete(message.key);
    remembered.set(message.key, parts);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= MAX_REMEMBERED) break;
      remembered.delete(oldest);
    }
    return parts;
  }

  return async function fanOut(message, context) {
    const parts = partsOf(message);
    const tried = ports.map((port, index) => (parts[index] ??= hand(index, port, message, context, parts)));
    const failures = (await Promise.allSettled(tried)).filter((one) => one.status === "rejected");
    const worst = failures.find(({ reason }) => !isPermanent(reason)) ?? failures[0];
    if (worst) throw worst.reason;
    // All have it. It is remembered only for a sender who was told to come again meanwhile: any other who sends it once more
    // wants it handed over once more.
    if (!context.signal.aborted) remembered.delete(message.key);
  };
}

async function hand(
  index: number,
  emitter: Emitter,
  message: Message,
  context: EmitContext,
  parts: Parts,
): Promise<void> {
  try {
    await invoke(`emitter ${index} of fanOut`, emitter, message, context);
  } catch (error) {
    parts[index] = undefined;
    throw error;
  }
}
