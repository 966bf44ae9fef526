/**
 * Which message of a spool is next: the one that has waited longest of those that are due, and of a group only the first.
 *
 * @module
 */
import { createHeap } from "./heap";

/** What the memory holds of a message on disk. */
export type SpoolEntry = {
  /** Its place on disk: 16 digits, in the order of coming. */
  readonly id: string;
  /** By what another copy of it is told. */
  readonly key: string;
  readonly groupId: string | undefined;
  readonly bytes: number;
  /** When it was received: milliseconds since the epoch. */
  readonly receivedAt: number;
  attempts: number;
  /** Why the last attempt has failed. */
  error?: string | undefined;
  /** When it may be tried, by `performance.now()`. */
  dueAt: number;
};

export type Schedule = {
  /** Adds a message behind those of its group. */
  readonly add: (entry: SpoolEntry) => void;
  /** Takes the next one that is due. The rest of its group waits until it is `done`. */
  readonly take: (now: number) => SpoolEntry | undefined;
  /** Puts one back that was taken, to be tried when it is due. */
  readonly putBack: (entry: SpoolEntry) => void;
  /** Lets its group go on. */
  readonly done: (entry: SpoolEntry) => void;
  /** When the next one is due. */
  readonly dueAt: () => number | undefined;
};

type Link = { readonly entry: SpoolEntry; next?: Link };

/** Creates a schedule. */
export function createSchedule(): Schedule {
  const heads = createHeap<SpoolEntry>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.id < b.id));
  // A linked list, for a group may be long, and is only ever taken from in front.
  const groups = new Map<string, { first: Link; last: Link }>();

  return {
    add(entry) {
      const { groupId } = entry;
      if (groupId === undefined) return heads.push(entry);
      const link: Link = { entry };
      const group = groups.get(groupId);
      if (group) {
        group.last.next = link;
        group.last = link;
      } else {
        groups.set(groupId, { first: link, last: link });
        heads.push(entry);
      }
    },
    take(now) {
      const first = heads.peek();
      return first && first.dueAt <= now ? heads.pop() : undefined;
    },
    putBack: heads.push,
    done({ groupId }) {
      const group = groupId === undefined ? undefined : groups.get(groupId);
      if (!group) return;
      const { next } = group.first;
      if (next) {
        group.first = next;
        heads.push(next.entry);
      } else {
        groups.delete(groupId as string);
      }
    },
    dueAt: () => heads.peek()?.dueAt,
  };
}
