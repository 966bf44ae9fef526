/**
 * Deduplication within one process: what was delivered is kept in its memory, and forgotten with it.
 *
 * @module
 */
import { checkOptions, positiveInteger } from "../../request/options";
import type { DeduplicationStore } from "./store";

export type MemoryDeduplicationOptions = {
  /**
   * The most keys that are kept. Beyond it the oldest is forgotten first. A key takes about 300 bytes.
   *
   * @defaultValue `100_000`
   */
  readonly maxKeys?: number | undefined;
  /**
   * The clock, in milliseconds since 1970: for tests.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: (() => number) | undefined;
};

type Entry = { readonly owner: string; readonly until: number; readonly trackingId?: string };

/**
 * Creates a store in memory. Give it to all nodes of a process that are to know of each other's deliveries; several
 * processes need a store between them.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function memoryDeduplication(options: MemoryDeduplicationOptions = {}): DeduplicationStore {
  checkOptions("memoryDeduplication", options, ["maxKeys", "now"]);
  const { maxKeys = 100_000, now = Date.now } = options;
  positiveInteger("maxKeys", maxKeys);
  // A Map keeps the order in which keys were put in, so the first one is the oldest.
  const entries = new Map<string, Entry>();
  // Only what it has passed is deleted by it. One begun anew would step over all that was deleted since the Map last grew.
  const oldest = entries.keys();

  function put(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
    while (entries.size > maxKeys) entries.delete(oldest.next().value as string);
  }

  return {
    async claim(key, { owner, leaseMs }) {
      const found = entries.get(key);
      if (found && found.until > now()) {
        const { trackingId } = found;
        return trackingId === undefined ? { state: "underWay" } : { state: "delivered", trackingId };
      }
      put(key, { owner, until: now() + leaseMs });
      return { state: "claimed" };
    },
    async confirm(key, { owner, trackingId, windowMs }) {
      put(key, { owner, trackingId, until: now() + windowMs });
    },
    async release(key, { owner }) {
      const found = entries.get(key);
      if (found?.owner === owner && found.trackingId === undefined) entries.delete(key);
    },
  };
}
