/**
 * Sends what arrives at the same time together: one round trip for many messages, each with its own confirmation.
 *
 * @module
 */
import type { EmitContext } from "../message";
import { BusyError } from "./busy-error";

export type BatchOptions<Item> = {
  /**
   * Sends the items, in order. It resolves to what became of each: an error in its place, or `undefined` where it is
   * confirmed; to nothing where all are. It rejects where all have failed.
   */
  readonly send: (items: readonly Item[]) => Promise<readonly (Error | undefined)[] | void>;
  /** The most items of a batch. */
  readonly maxItems: number;
  /** The most octets of a batch. An item that is larger by itself is sent alone. */
  readonly maxBytes?: number;
  readonly bytesOf?: (item: Item) => number;
  /**
   * How many batches may be under way. With one, items are sent in the order in which they came.
   *
   * @defaultValue `1`
   */
  readonly concurrency?: number;
  /**
   * How long an item may take from when it is added. It is then rejected with a `BusyError`, and let go of if it still waits.
   * A batch keeps its place until `send` settles, so a client that hangs holds no more than `concurrency` batches.
   */
  readonly timeoutMs?: number;
};

type Entry<Item> = {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Lets the item go when its time is over. */
  readonly listen: () => void;
};

/** How long an item waits before it listens. Most are sent by then, and to make a signal costs as much as all the rest. */
const PATIENCE_MS = 20;

/**
 * Creates the function that adds an item. What has come within one turn of the event loop, or while others were being
 * sent, makes a batch: nothing waits for a timer. An item whose time is over while it waits is taken out again, a moment
 * later at most, so what is held stays bounded by what is awaited.
 */
export function batcher<Item>({
  send,
  maxItems,
  maxBytes = Infinity,
  bytesOf = () => 0,
  concurrency = 1,
  timeoutMs,
}: BatchOptions<Item>): (item: Item, context: EmitContext) => Promise<void> {
  const waiting = new Set<Entry<Item>>();
  const newcomers: Entry<Item>[] = [];
  let underWay = 0;
  let isScheduled = false;

  function schedule(): void {
    // A full batch has nobody to wait for.
    while (underWay < concurrency && waiting.size >= maxItems) void run(take());
    if (isScheduled || underWay >= concurrency || waiting.size === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      while (underWay < concurrency && waiting.size > 0) void run(take());
    });
  }

  function listenLater(entry: Entry<Item>): void {
    if (newcomers.push(entry) > 1) return;
    setTimeout(() => {
      for (const newcomer of newcomers.splice(0)) if (waiting.has(newcomer)) newcomer.listen();
    }, PATIENCE_MS);
  }

  function take(): readonly Entry<Item>[] {
    const batch: Entry<Item>[] = [];
    let bytes = 0;
    for (const entry of waiting) {
      bytes += bytesOf(entry.item);
      if (batch.length > 0 && (batch.length === maxItems || bytes > maxBytes)) break;
      batch.push(entry);
      waiting.delete(entry);
    }
    return batch;
  }

  async function run(batch: readonly Entry<Item>[]): Promise<void> {
    underWay++;
    let settle: (entry: Entry<Item>, index: number) => void;
    try {
      const errors = await send(batch.map(({ item }) => item));
      settle = ({ resolve, reject }, index) => {
        const error = errors?.[index];
        if (error) reject(error);
        else resolve();
      };
    } catch (error) {
      settle = ({ reject }) => reject(error);
    }
    underWay--;
    // Before the confirmations are passed on: the receiver has work then while they are.
    schedule();
    batch.forEach(settle);
  }

  return (item, context) =>
    new Promise<void>((resolve, reject) => {
      let leave = (): void => {};
      let timer: NodeJS.Timeout | undefined;
      const settled = (): void => (clearTimeout(timer), leave());
      const entry: Entry<Item> = {
        item,
        resolve: () => (settled(), resolve()),
        reject: (reason) => (settled(), reject(reason)),
        listen: () => {
          const { signal } = context;
          const over = (): void => {
            if (waiting.delete(entry)) entry.reject(signal.reason);
          };
          signal.addEventListener("abort", over, { once: true });
          leave = () => signal.removeEventListener("abort", over);
          if (signal.aborted) over();
        },
      };
      waiting.add(entry);
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => {
          waiting.delete(entry);
          entry.reject(new BusyError(`Nothing was confirmed within ${timeoutMs} ms. It may be yet: at least once.`));
        }, timeoutMs);
      }
      schedule();
      if (waiting.has(entry)) listenLater(entry);
    });
}
