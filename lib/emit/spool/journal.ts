/**
 * What a spool writes to its folder, and reads of it.
 *
 * The octets of a message stand by themselves, so that a start reads none of them.
 *
 * @module
 */
import type { EmitContext, Message } from "../../message";
import { identityOf } from "../identity";
import { PermanentError } from "../permanent-error";
import type { SpoolEntry } from "./schedule";
import type { Store } from "../disk/store";
import { decodeMessage, metaOf, type StoredMessage } from "./stored-message";

/** What has become of a message so far. It has none before its first failure. */
export type SpoolState = {
  readonly attempts: number;
  readonly error: string;
  /** When the next attempt is due, in milliseconds since the epoch. Absent where the message is dead. */
  readonly nextAttemptAt?: number;
  readonly isDead?: true;
};

/** A message of a spool, as a list shows it. */
export type SpooledMessage = {
  /** What `retry(id)`, `get(id)` and `drop(id)` take. */
  readonly id: string;
  readonly trackingId: string;
  readonly node: string;
  readonly messageType: string;
  readonly deliveryId?: string;
  readonly eventType?: string;
  readonly groupId?: string;
  readonly receivedAt: Date;
  /** What it takes on disk. */
  readonly bytes: number;
  /** How many attempts have failed. */
  readonly attempts: number;
  /** Why the last one has. */
  readonly error?: string;
};

export type SpoolJournal = {
  /** Everything that is there, in the order of coming, but for what is damaged: that is told, and left as it is. */
  readonly load: (
    unreadable: (id: string) => void,
  ) => AsyncIterable<{ readonly entry: SpoolEntry; readonly state: SpoolState | undefined }>;
  /** Resolves once the disk has it. */
  readonly add: (id: string, stored: StoredMessage, context: EmitContext) => Promise<void>;
  /** Notes a failure. Death is safe on disk when it resolves; a count may be lost to a power cut. */
  readonly note: (id: string, state: SpoolState) => Promise<void>;
  /** Takes back all that was noted, for good. */
  readonly revive: (id: string) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  /** @throws PermanentError if what is stored is damaged. */
  readonly read: (id: string) => Promise<Message | undefined>;
  readonly list: (entries: readonly SpoolEntry[]) => Promise<SpooledMessage[]>;
};

const PARTS = ["meta", "octets", "payload", "state"];
const SIZE_BYTES = 6;

/** The size of a message on disk, in bytes. */
export function sizeOf({ meta, octets, payload }: StoredMessage): number {
  return meta.length + octets.length + (payload?.length ?? 0);
}

/** Creates the journal of a store. */
export function createJournal(store: Store): SpoolJournal {
  return {
    async *load(unreadable) {
      const states = new Map<string, SpoolState>();
      for await (const [key, value] of store.entries("state/")) states.set(idOf(key), stateFrom(value));
      for await (const [key, value] of store.entries("meta/")) {
        const id = idOf(key);
        const state = states.get(id);
        const entry = entryOf(id, value, state);
        if (entry) yield { entry, state };
        else unreadable(id);
      }
    },
    add: (id, { meta, octets, payload }, context) =>
      store.write(
        {
          operations: [
            // The size of all is known at a start without reading the octets.
            { type: "put", key: `meta/${id}`, value: withSize(meta, octets.length + (payload?.length ?? 0)) },
            { type: "put", key: `octets/${id}`, value: octets },
            ...(payload ? [{ type: "put" as const, key: `payload/${id}`, value: payload }] : []),
          ],
          isSynced: true,
          isNew: true,
        },
        context,
      ),
    note: (id, state) =>
      store.write({
        operations: [{ type: "put", key: `state/${id}`, value: Buffer.from(JSON.stringify(state)) }],
        isSynced: state.isDead === true,
      }),
    revive: (id) => store.write({ operations: [{ type: "del", key: `state/${id}` }], isSynced: true }),
    // A removal that a power cut undoes is a message delivered once more.
    remove: (id) =>
      store.write({
        operations: PARTS.map((part) => ({ type: "del", key: `${part}/${id}` })),
        isSynced: false,
      }),
    async read(id) {
      const [meta, octets, payload] = await store.getMany([`meta/${id}`, `octets/${id}`, `payload/${id}`]);
      if (!meta || !octets) return undefined;
      try {
        return decodeMessage({ meta: meta.subarray(SIZE_BYTES), octets, ...(payload && { payload }) });
      } catch (error) {
        throw new PermanentError(`The stored message cannot be read: ${String(error)}`, { cause: error });
      }
    },
    async list(entries) {
      const metas = await store.getMany(entries.map(({ id }) => `meta/${id}`));
      return entries.flatMap((entry, index) => {
        const meta = metas[index];
        return meta ? [summaryOf(entry, metaOf(meta.subarray(SIZE_BYTES)))] : [];
      });
    },
  };
}

function withSize(meta: Buffer, bytes: number): Buffer {
  const value = Buffer.allocUnsafe(SIZE_BYTES + meta.length);
  value.writeUIntBE(bytes, 0, SIZE_BYTES);
  meta.copy(value, SIZE_BYTES);
  return value;
}

function idOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

function stateFrom(value: Buffer): SpoolState {
  return JSON.parse(value.toString()) as SpoolState;
}

function entryOf(id: string, value: Buffer, state: SpoolState | undefined): SpoolEntry | undefined {
  let meta: ReturnType<typeof metaOf>;
  try {
    meta = metaOf(value.subarray(SIZE_BYTES));
  } catch {
    return undefined;
  }
  return {
    id,
    key: identityOf(meta),
    groupId: meta.groupId,
    bytes: value.length - SIZE_BYTES + value.readUIntBE(0, SIZE_BYTES),
    receivedAt: Date.parse(meta.receivedAt),
    attempts: state?.attempts ?? 0,
    error: state?.error,
    dueAt: 0,
  };
}

function summaryOf(entry: SpoolEntry, meta: ReturnType<typeof metaOf>): SpooledMessage {
  const { id, groupId, bytes, receivedAt, attempts, error } = entry;
  const { trackingId, node, messageType, deliveryId, eventType } = meta;
  return {
    id,
    trackingId,
    node,
    messageType,
    ...(deliveryId !== undefined && { deliveryId }),
    ...(eventType !== undefined && { eventType }),
    ...(groupId !== undefined && { groupId }),
    receivedAt: new Date(receivedAt),
    bytes,
    attempts,
    ...(error !== undefined && { error }),
  };
}
