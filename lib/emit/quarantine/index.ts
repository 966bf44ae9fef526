/**
 * Keeps deliveries that were refused, as they were received but without credentials: a mistaken secret or schema can be mended,
 * and they can be replayed.
 *
 * @module
 */
import { positiveInteger, shown } from "../../request/options";
import type { RefusedDelivery } from "../../request/refused-delivery";
import { quarantineSettings, type QuarantineOptions } from "./options";
import { createRing } from "./ring";
import { createSequence } from "../disk/sequence";
import { createStore } from "../disk/store";
import { fieldsWithoutCredentials, targetWithoutCredentials } from "./without-credentials";

export type { QuarantineOptions } from "./options";
export type { RefusedDelivery } from "../../request/refused-delivery";
export { toRequest, type ReplayRequest } from "./replay-request";

/** A delivery in quarantine, as a list shows it. */
export type QuarantinedDelivery = Omit<RefusedDelivery, "octets" | "rawHeaders"> & {
  /** What `get(id)`, `remove(id)` and `replay(id)` take. */
  readonly id: string;
  /** How many octets of its body there are. */
  readonly bytes: number;
};

/** Which deliveries of a list are asked for. */
export type QuarantineListOptions = {
  /** @defaultValue `100` */
  readonly limit?: number | undefined;
  /** The `id` of the last one that is known: those behind it are listed. */
  readonly after?: string | undefined;
};

export type Quarantine = {
  /**
   * Keeps a delivery, and resolves to whether it is kept. It never rejects, and never holds more than 16 MiB in memory, so
   * nobody has to wait for it.
   */
  readonly keep: (refused: RefusedDelivery) => Promise<boolean>;
  /** What is kept, in the order of coming. */
  readonly list: (options?: QuarantineListOptions) => Promise<QuarantinedDelivery[]>;
  readonly get: (id: string) => Promise<RefusedDelivery | undefined>;
  /** Removes a delivery. Resolves to whether there was one. */
  readonly remove: (id: string) => Promise<boolean>;
  /**
   * Hands a delivery to a function, and removes it once the function's promise resolves. Resolves to what that does.
   *
   * @throws Error if there is none by that id.
   */
  readonly replay: <Result>(id: string, handler: (delivery: RefusedDelivery) => Promise<Result>) => Promise<Result>;
  /** Resolves once the folder is open. Rejects if it cannot be opened now. */
  readonly ready: () => Promise<void>;
  /** Keeps nothing more, and lets go of the folder. */
  readonly close: () => Promise<void>;
};

type Meta = Omit<QuarantinedDelivery, "id" | "receivedAt"> & {
  readonly receivedAt: string;
  readonly rawHeaders: readonly string[];
};

const MAX_HELD_BYTES = 16_777_216;

/**
 * Creates a quarantine. It needs the package `classic-level`.
 *
 * What it keeps survives the process; a power cut may cost the last seconds of it.
 *
 * @throws TypeError at start, for a wrong option.
 * @throws Error at start, if the folder cannot be made, or `classic-level` cannot be loaded.
 */
export function quarantine(options: QuarantineOptions): Quarantine {
  const settings = quarantineSettings(options);
  const { folder, statuses, credentialFields, maxBytes, logger } = settings;
  const store = createStore({ folder, kind: "quarantine", logger });
  const ring = createRing(settings);
  const sequence = createSequence();
  let heldBytes = 0;
  let isLosing = false;
  let starting: Promise<void> | undefined;

  function ready(): Promise<void> {
    return (starting ??= load().catch((error: unknown) => {
      starting = undefined;
      throw error;
    }));
  }

  async function load(): Promise<void> {
    ring.clear();
    const gone: string[] = [];
    for await (const [key, value] of store.entries("meta/")) {
      const id = key.slice("meta/".length);
      const meta = metaFrom(value);
      sequence.found(id);
      gone.push(...ring.add(id, kindOf(meta), value.length + meta.bytes));
    }
    await drop(gone);
  }

  async function keep(refused: RefusedDelivery): Promise<boolean> {
    const { octets, rawHeaders, target, ...rest } = refused;
    if (!statuses.has(refused.status)) return false;
    const meta = Buffer.from(
      JSON.stringify({
        ...rest,
        target: targetWithoutCredentials(target),
        rawHeaders: fieldsWithoutCredentials(rawHeaders, credentialFields),
        bytes: octets.length,
      }),
    );
    const bytes = meta.length + octets.length;
    if (bytes > maxBytes || heldBytes + bytes > MAX_HELD_BYTES) return lose();
    heldBytes += bytes;
    const id = sequence.next();
    try {
      await ready();
      const gone = ring.add(id, kindOf(refused), bytes);
      if (gone.includes(id)) {
        await drop(gone);
        return lose();
      }
      await store.write({
        operations: [
          { type: "put", key: `meta/${id}`, value: meta },
          { type: "put", key: `octets/${id}`, value: octets },
          ...gone.flatMap(removal),
        ],
        isSynced: false,
        isNew: true,
      });
      isLosing = false;
      return true;
    } catch {
      // The store has said why.
      ring.remove(id);
      return false;
    } finally {
      heldBytes -= bytes;
    }
  }

  function lose(): false {
    if (!isLosing) logger.warn(`quarantine ${folder}: deliveries are too large, or come too fast, to be kept`);
    isLosing = true;
    return false;
  }

  async function drop(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await store.write({ operations: ids.flatMap(removal), isSynced: false });
  }

  async function get(id: string): Promise<RefusedDelivery | undefined> {
    await ready();
    const [meta, octets] = await store.getMany([`meta/${id}`, `octets/${id}`]);
    if (!meta || !octets) return undefined;
    const { bytes: _, receivedAt, ...rest } = metaFrom(meta);
    return { ...rest, octets, receivedAt: new Date(receivedAt) };
  }

  async function remove(id: string): Promise<boolean> {
    await ready();
    if (!ring.remove(id)) return false;
    await drop([id]);
    return true;
  }

  ready().catch(() => {}); // It is logged, and tried again with the next delivery.

  return {
    keep,
    get,
    remove,
    ready,
    async list({ limit = 100, after = "" } = {}) {
      positiveInteger("limit", limit);
      await ready();
      const ids = ring.ids().filter((id) => id > after);
      const metas = await store.getMany(ids.slice(0, limit).map((id) => `meta/${id}`));
      return metas.flatMap((meta, index) => (meta ? [summaryOf(ids[index] as string, metaFrom(meta))] : []));
    },
    async replay(id, handler) {
      const delivery = await get(id);
      if (!delivery) throw new Error(`There is no delivery ${shown(id)} in quarantine.`);
      const result = await handler(delivery);
      await remove(id);
      return result;
    },
    close: () => store.close(),
  };
}

function kindOf({ node, status }: Pick<RefusedDelivery, "node" | "status">): string {
  return `${status} ${node}`;
}

function removal(id: string): { readonly type: "del"; readonly key: string }[] {
  return ["meta", "octets"].map((part) => ({ type: "del", key: `${part}/${id}` }));
}

function metaFrom(value: Buffer): Meta {
  return JSON.parse(value.toString()) as Meta;
}

function summaryOf(id: string, { rawHeaders: _, receivedAt, ...rest }: Meta): QuarantinedDelivery {
  return { id, ...rest, receivedAt: new Date(receivedAt) };
}
