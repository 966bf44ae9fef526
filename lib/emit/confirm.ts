/**
 * Hands messages to the emitter, and awaits its confirmation for as long as the sender can wait.
 *
 * @module
 */
import { WebhookError } from "../errors";
import type { Emitter, Message } from "../message";
import type { DeliveryRecord } from "../request/delivery";
import type { Lifetime } from "../request/lifetime";
import { logError } from "../request/logger";
import type { Confirmation } from "./confirmation";
import type { Deduplicate } from "./deduplicate";
import { emitContext } from "./emit-context";
import { emitFailure } from "./emit-failure";
import { invoke, promised } from "./invoke";
import { isPermanent } from "./permanent-error";

/** Where messages go. */
export type Ports = {
  readonly emitter: Emitter;
  readonly deadLetter: Emitter | undefined;
  readonly deduplicate: Deduplicate | undefined;
  readonly audit: ((message: Message) => void) | undefined;
};

/**
 * Resolves once all messages of a delivery are confirmed, each in its place. They are handed over in order, and awaited
 * together: the delivery is acknowledged only when all are confirmed.
 */
export async function confirmAll(
  messages: readonly Message[],
  trackingId: string,
  record: DeliveryRecord,
  ports: Ports,
): Promise<readonly Confirmation[]> {
  record.beginEmitting();
  try {
    if (messages.length === 1) return [await confirmOne(messages[0] as Message, trackingId, record, ports)];
    const settled = await Promise.allSettled(messages.map((message) => confirmOne(message, trackingId, record, ports)));
    const failed = settled.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
    return (settled as PromiseFulfilledResult<Confirmation>[]).map(({ value }) => value);
  } finally {
    record.endEmitting();
  }
}

function confirmOne(message: Message, trackingId: string, record: DeliveryRecord, ports: Ports): Promise<Confirmation> {
  const work = start(message, trackingId, record, ports);
  if (ports.audit) auditOnce(work, message, record, ports.audit);
  // What the emitter holds stays counted as in flight, also after the sender was told to come again.
  return record.lifetime.race(work, () => record.hold(work));
}

function start(
  message: Message,
  trackingId: string,
  record: DeliveryRecord,
  { emitter, deadLetter, deduplicate }: Ports,
): Promise<Confirmation> {
  if (!deduplicate) return confirm(message, record.lifetime, emitter, deadLetter);
  const work = (): Promise<Confirmation> => confirm(message, record.lifetime, emitter, deadLetter);
  return deduplicate({ message, trackingId, record, work });
}

/** Audits a message that is confirmed, whatever its sender was told: when the answer has gone, or when that comes late. */
function auditOnce(
  work: Promise<Confirmation>,
  message: Message,
  record: DeliveryRecord,
  audit: (message: Message) => void,
): void {
  const confirmed = ({ duplicateOf }: Confirmation): void => {
    if (duplicateOf !== undefined) return;
    record.whenDone(() => {
      try {
        audit(message);
      } catch (error) {
        logError(record.surroundings.logger, `webhook ${message.node}: audit has thrown`, error);
      }
    });
  };
  work.then(confirmed, () => {});
}

/** Resolves once the message is confirmed. It goes on where the sender's time is over: what comes late is told to nobody. */
async function confirm(
  message: Message,
  lifetime: Lifetime,
  emitter: Emitter,
  deadLetter: Emitter | undefined,
): Promise<Confirmation> {
  const context = emitContext(lifetime);
  try {
    await promised("emitter", emitter(message, context));
    return { isDeadLetter: false };
  } catch (error) {
    // Once the sender was told to come again, the next attempt finds the message out to be refused.
    if (!isPermanent(error) || lifetime.over) throw emitFailure(error);
    if (!deadLetter) {
      throw new WebhookError("ERR_WEBHOOK_MESSAGE_REFUSED", "The delivery was understood, and will not be taken.", {
        advice: `The emitter threw a PermanentError (${(error as Error).message}), and the node has no deadLetter to keep the message.`,
        cause: error,
      });
    }
    return kept(message, lifetime, deadLetter, error);
  }
}

async function kept(message: Message, lifetime: Lifetime, deadLetter: Emitter, error: unknown): Promise<Confirmation> {
  try {
    await invoke("deadLetter", deadLetter, message, emitContext(lifetime, error));
    return { isDeadLetter: true, error };
  } catch (failure) {
    throw emitFailure(failure);
  }
}
