/**
 * Which entries of a bounded store have to go when others come: the oldest of the kind that takes up most, so that a flood of
 * one kind pushes out itself alone.
 *
 * @module
 */

export type RingLimits = { readonly maxItems: number; readonly maxBytes: number };

export type Ring = {
  /** Adds an entry, and returns the ids of those that have to go for it. */
  readonly add: (id: string, kind: string, bytes: number) => string[];
  readonly remove: (id: string) => boolean;
  readonly ids: () => string[];
  readonly clear: () => void;
};

type Kind = { readonly items: Map<string, number>; bytes: number };

/** Creates an empty ring. */
export function createRing({ maxItems, maxBytes }: RingLimits): Ring {
  const kinds = new Map<string, Kind>();
  const kindOf = new Map<string, Kind>();
  let bytes = 0;

  function remove(id: string): boolean {
    const kind = kindOf.get(id);
    if (!kind) return false;
    const size = kind.items.get(id) ?? 0;
    kind.items.delete(id);
    kind.bytes -= size;
    bytes -= size;
    return kindOf.delete(id);
  }

  /** The kind that has most of what there is too much of. */
  function largest(): Kind | undefined {
    const sizeOf = bytes > maxBytes ? (kind: Kind) => kind.bytes : (kind: Kind) => kind.items.size;
    let most: Kind | undefined;
    for (const kind of kinds.values()) if (!most || sizeOf(kind) > sizeOf(most)) most = kind;
    return most;
  }

  return {
    add(id, name, size) {
      const kind = kinds.get(name) ?? { items: new Map<string, number>(), bytes: 0 };
      kinds.set(name, kind);
      kind.items.set(id, size);
      kind.bytes += size;
      bytes += size;
      kindOf.set(id, kind);

      const gone: string[] = [];
      while (kindOf.size > maxItems || bytes > maxBytes) {
        const [oldest] = largest()?.items.keys() ?? [];
        if (oldest === undefined) break;
        remove(oldest);
        gone.push(oldest);
      }
      return gone;
    },
    remove,
    ids: () => [...kindOf.keys()].sort(),
    clear() {
      kinds.clear();
      kindOf.clear();
      bytes = 0;
    },
  };
}
