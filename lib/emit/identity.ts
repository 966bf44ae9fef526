/**
 * What a message is remembered by.
 *
 * @module
 */
import type { Message } from "../message";

/** Tells copies of a message by its key. What is unverified must not stand for what is. */
export function identityOf({ key, isUnverified }: Pick<Message, "key" | "isUnverified">): string {
  return isUnverified ? `unverified ${key}` : key;
}
