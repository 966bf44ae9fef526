/**
 * Takes messages into a spool: once each, if there is room, and confirmed by the disk.
 *
 * @module
 */
import { WebhookError } from "../../errors";
import type { EmitContext, Emitter, Message } from "../../message";
import type { SpoolIndex } from "./stock";
import { identityOf } from "../identity";
import { sizeOf, type SpoolJournal } from "./journal";
import type { SpoolSettings } from "./options";
import type { SpoolEntry } from "./schedule";
import { encodeMessage } from "./stored-message";

export type IntakeParts = {
  readonly settings: SpoolSettings;
  readonly index: SpoolIndex;
  readonly journal: SpoolJournal;
  /** Told of a message that is on disk. */
  readonly stored: (entry: SpoolEntry) => void;
};

/** Creates the function that takes a message in. */
export function createIntake({ settings, index, journal, stored }: IntakeParts): Emitter {
  const { maxBytes, logger } = settings;
  const { copies } = index;
  let isFull = false;

  async function take(message: Message, context: EmitContext): Promise<void> {
    if (message.octets.length > maxBytes) {
      throw new WebhookError("ERR_WEBHOOK_BODY_TOO_LARGE", `A body may have ${maxBytes} bytes here.`);
    }
    const identity = identityOf(message);
    if (copies.has(identity)) return copies.get(identity);
    const storing = store(message, identity, context);
    copies.set(identity, storing);
    try {
      await storing;
    } catch (error) {
      copies.delete(identity);
      throw error;
    }
  }

  async function store(message: Message, identity: string, context: EmitContext): Promise<void> {
    const parts = encodeMessage(message);
    const bytes = sizeOf(parts);
    reserve(bytes);
    const id = index.sequence.next();
    try {
      await journal.add(id, parts, context);
    } catch (error) {
      index.release(bytes);
      throw error;
    }
    const { groupId, receivedAt } = message;
    const dueAt = performance.now();
    stored({ id, key: identity, groupId, bytes, receivedAt: receivedAt.getTime(), attempts: 0, dueAt });
  }

  function reserve(bytes: number): void {
    try {
      index.reserve(bytes);
      isFull = false;
    } catch (error) {
      if (!isFull) logger.error(`spool: ${(error as Error).message}`);
      isFull = true;
      throw error;
    }
  }

  return take;
}
