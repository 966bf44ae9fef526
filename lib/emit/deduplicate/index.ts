/**
 * Emits the same message once within a window, however often it is delivered, and to how many processes.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Message } from "../../message";
import type { DeliveryRecord } from "../../request/delivery";
import { logError } from "../../request/logger";
import { notPromised } from "../../request/not-promised";
import { checkFunction, checkOptions, LONGEST_MS, positiveInteger, shown } from "../../request/options";
import type { Confirmation } from "../confirmation";
import { emitFailure } from "../emit-failure";
import type { Claim, DeduplicationStore } from "./store";

export type { Claim, DeduplicationStore } from "./store";

export type DeduplicateOptions<Payload = unknown> = {
  /** Keeps what was delivered: `memoryDeduplication()` in one process, `redisDeduplication({ client })` or others between several. */
  readonly store: DeduplicationStore;
  /**
   * How long a delivery is known after it was confirmed, in seconds.
   *
   * @defaultValue `86_400` (a day)
   */
  readonly windowSeconds?: number | undefined;
  /**
   * How long a message may be under way before another process takes it over, in seconds: after a crash in the middle, that
   * is how long the sender's attempts are 503. It must be longer than an emitter can take.
   *
   * @defaultValue `60`
   */
  readonly leaseSeconds?: number | undefined;
  /**
   * What makes two deliveries the same, in the place of `message.key`: within one node and source, deliveries with the same
   * text are. `undefined` for one that is the same as no other.
   *
   * It decides what is lost: with a delivery id alone, an operator's redelivery with other octets is a duplicate.
   */
  readonly key?: ((message: Message<Payload>) => string | undefined) | undefined;
};

/** A message on its way: the tracking id is the one that its sender will be told. */
export type Attempt = {
  readonly message: Message;
  readonly trackingId: string;
  readonly record: DeliveryRecord;
  readonly work: () => Promise<Confirmation>;
};

/** Runs the work of an attempt, or resolves to what the same message came to before. */
export type Deduplicate = (attempt: Attempt) => Promise<Confirmation>;

const WORDS = ["store", "windowSeconds", "leaseSeconds", "key"];
const METHODS = ["claim", "confirm", "release"] as const;
/** Between two looks at a key that another process has: from the shortest to the longest. */
const POLL_MS = [20, 500] as const;

/**
 * Makes the deduplication of a node. While the first of two is under way the second waits for it, and is answered with its
 * tracking id; a first that failed lets the second try. An unverified delivery never stands for a verified one.
 */
export function deduplicator(options: DeduplicateOptions): Deduplicate {
  if (isStore(options)) throw new TypeError("deduplicate: it is a store itself; pass it as { store }.");
  checkOptions("deduplicate", options, WORDS);
  const { windowSeconds = 86_400, leaseSeconds = 60, key: own } = options;
  const store = checkStore(options.store);
  const windowMs = positiveInteger("windowSeconds", windowSeconds) * 1000;
  const leaseMs = positiveInteger("leaseSeconds", leaseSeconds) * 1000;
  if (leaseMs > LONGEST_MS)
    throw new TypeError(`leaseSeconds: ${leaseSeconds} is more than 24 days, the longest that a timer waits.`);
  if (own !== undefined) checkFunction("key", own);
  /** What this process has under way: resolves to the tracking id that was told, or to nothing after a failure. */
  const underWay = new Map<string, Promise<string | undefined>>();

  return async function deduplicate(attempt) {
    const key = keyOf(attempt.message, own);
    if (key === undefined) return attempt.work();

    for (let first = underWay.get(key); first; first = underWay.get(key)) {
      const duplicateOf = await attempt.record.lifetime.race(first);
      if (duplicateOf !== undefined) return { isDeadLetter: false, duplicateOf };
    }
    const flight = fly(key, attempt);
    const told = flight.then(
      ({ confirmation, stored }) => {
        void stored.then(forget);
        return confirmation.duplicateOf ?? attempt.trackingId;
      },
      () => {
        forget();
        return undefined;
      },
    );
    underWay.set(key, told);
    // An emitter that never settles is not waited for by deliveries to come, as little as by other processes.
    const lapse = setTimeout(forget, leaseMs).unref();
    function forget(): void {
      clearTimeout(lapse);
      if (underWay.get(key as string) === told) underWay.delete(key as string);
    }
    return (await flight).confirmation;
  };

  async function claimed(key: string, owner: string): Promise<Claim> {
    try {
      return await store.claim(key, { owner, leaseMs });
    } catch (error) {
      throw emitFailure(error, "The store of deduplicate has failed.");
    }
  }

  /** Resolves once the message is safe; `stored` once the next one will know of it, too. */
  async function fly(
    key: string,
    { message, trackingId, record, work }: Attempt,
  ): Promise<{ readonly confirmation: Confirmation; readonly stored: Promise<unknown> }> {
    const owner = randomUUID();
    const { lifetime, surroundings } = record;
    const quietly = async (what: "confirm" | "release", stored: () => Promise<unknown>): Promise<void> => {
      try {
        await stored();
      } catch (error) {
        logError(surroundings.logger, `webhook ${message.node}: the store could not ${what} a key`, error);
      }
    };
    for (let ms: number = POLL_MS[0]; ; ms = Math.min(ms * 2, POLL_MS[1])) {
      const claim = await claimed(key, owner);
      if (claim.state === "claimed") break;
      if (claim.state === "delivered") {
        return { confirmation: { isDeadLetter: false, duplicateOf: claim.trackingId }, stored: Promise.resolve() };
      }
      await lifetime.race(pause(ms));
    }
    try {
      // Its sender was told to come again while the claim was on its way.
      if (lifetime.over) throw lifetime.over;
      const confirmation = await work();
      // The sender is not kept waiting for what concerns only the next one.
      const stored = quietly("confirm", () => store.confirm(key, { owner, trackingId, windowMs }));
      record.hold(stored);
      return { confirmation, stored };
    } catch (error) {
      record.hold(quietly("release", () => store.release(key, { owner })));
      throw error;
    }
  }
}

function keyOf(message: Message, own: DeduplicateOptions["key"]): string | undefined {
  // Without a delivery id the key is the message's own, and need not be looked for.
  if (!own) return message.deliveryId === undefined ? undefined : message.key;
  const key = notPromised("key", own(message));
  if (key === undefined) return undefined;
  if (typeof key !== "string") throw new TypeError(`key: it returned ${shown(key)}, and neither text nor undefined.`);
  // What is unverified must not stand for what is, as in `message.key`.
  const identity = [message.node, message.source, key, ...(message.isUnverified ? ["unverified"] : [])];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex");
}

function isStore(value: unknown): boolean {
  return METHODS.every((method) => has(method, value));
}

function has(method: (typeof METHODS)[number], value: unknown): boolean {
  return typeof (value as Partial<DeduplicationStore> | null | undefined)?.[method] === "function";
}

function checkStore(store: DeduplicationStore): DeduplicationStore {
  for (const method of METHODS) {
    if (has(method, store)) continue;
    throw new TypeError(`store: ${shown(store)} has no ${method}(); memoryDeduplication() makes one that has.`);
  }
  return store;
}
