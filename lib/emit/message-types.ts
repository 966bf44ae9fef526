/**
 * The message types of a tenant, by their names, and those of the system.
 *
 * @module
 */
import { shown } from "../request/options";
import { problemsOf, type MessageType } from "./message-type";
import { SYSTEM_TYPES } from "./system-types";

/** Message types by their names. */
export type MessageTypeLibrary = {
  /** The type of a name, the system's among them. */
  get(name: string): MessageType | undefined;
  /** All types, those of the system first. */
  list(): readonly MessageType[];
};

const system: readonly MessageType[] = SYSTEM_TYPES.map((type) => Object.freeze(type));

/**
 * Creates a library of message types. The system's are in each.
 *
 * @throws TypeError at start, for names that are malformed, doubled or the system's, and for types that are none: one error
 * lists all. Schemas are compiled by the nodes that use them.
 */
export function createMessageTypes(types: readonly MessageType[]): MessageTypeLibrary {
  if (!Array.isArray(types)) throw new TypeError(`createMessageTypes: ${shown(types)} is not a list of message types.`);
  const known = new Map(system.map((type) => [type.name, type]));
  const problems: string[] = [];
  for (const type of types as readonly MessageType[]) {
    const found = problemsOf(type);
    if (found.length === 0 && known.has(type.name)) found.push(`${shown(type.name)}: there are two of that name`);
    problems.push(...found);
    if (found.length === 0) known.set(type.name, Object.freeze({ ...type }));
  }
  if (problems.length > 0) throw new TypeError(`createMessageTypes: ${problems.join("; ")}.`);

  return Object.freeze({
    get: (name: string) => known.get(name),
    list: () => [...known.values()],
  });
}

/** The library of a node that has none. */
export const systemTypes = createMessageTypes([]);

/** Whether a type is the system's own. */
export function isSystemType(type: MessageType): boolean {
  return system.includes(type);
}
