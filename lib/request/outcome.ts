/**
 * How a request ended: written once, and read by all who observe (log, events, diagnostics).
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import { consoleLogger, logError, writeError, type Logger } from "./logger";

/**
 * The one end of a request: `delivered` (the emitter has confirmed the message), `duplicate` (it had before), `answered`
 * (2xx or 3xx with nothing to emit, such as a handshake), `refused` (the sender's fault), `failed` (ours; the sender may
 * try again), `aborted` (the sender had gone before the message was emitted).
 */
export type OutcomeKind = "delivered" | "duplicate" | "answered" | "refused" | "failed" | "aborted";

export type Outcome = {
  readonly kind: OutcomeKind;
  /** The status of the answer. Nobody reads it where the kind is `aborted`. */
  readonly status: number;
  /** The name of the node. */
  readonly node: string;
  /** The name of the source, where the node has one. */
  readonly source?: string;
  /** When the first step saw the request. */
  readonly receivedAt: Date;
  /** From the first step to the answer, in milliseconds. */
  readonly durationMs: number;
  /** Milliseconds spent in each step, by its name. Measured only where somebody listens. */
  readonly durations?: Readonly<Record<string, number>>;
  /** The tracking id that the sender was told. */
  readonly trackingId?: string;
  /** How many messages a delivery was split into, if it was. */
  readonly messages?: number;
  /** Set if the sender's proof was missing or wrong, and the node only reports that. */
  readonly isUnverified?: true;
  /** The provider's id of the delivery. Of one that was refused it is what its sender says, if that is in the header fields. */
  readonly deliveryId?: string;
  /** The provider's word for what happened, as above. */
  readonly eventType?: string;
  /** Set if the message was refused for good by its emitter and has gone to `deadLetter`. */
  readonly isDeadLetter?: true;
  /** The code of the refusal. */
  readonly code?: string;
  /** What the sender was told. */
  readonly detail?: string;
  /** What mends it. */
  readonly advice?: string;
  /** What was thrown, by the emitter if `isDeadLetter`. It may hold what no sender should see. */
  readonly error?: unknown;
};

/** Publishes each `Outcome` as it is written, under the name `express-webhook-node:outcome`. */
export const outcomes = channel("express-webhook-node:outcome");

/** Where the outcomes of a node's requests go. */
export type Observers = {
  readonly logger: Logger;
  readonly events?: EventEmitter | undefined;
};

/** Whether somebody listens, so that durations are worth measuring. */
export function isObserved({ events }: Observers): boolean {
  return outcomes.hasSubscribers || (events !== undefined && events.listenerCount("outcome") > 0);
}

/** Tells all observers. One that throws is logged, and changes nothing for the sender. */
export function publish(outcome: Outcome, { logger, events }: Observers): void {
  try {
    log(outcome, logger);
  } catch (error) {
    logError(logger, `webhook ${printable(outcome.node)}: the logger has thrown`, error);
  }
  try {
    // The channel hands a subscriber's error to "uncaughtException", as Node has it.
    if (outcomes.hasSubscribers) outcomes.publish(outcome);
    events?.emit("outcome", outcome);
  } catch (error) {
    logError(logger, `webhook ${printable(outcome.node)}: an observer of outcomes has thrown`, error);
  }
}

function log(outcome: Outcome, logger: Logger): void {
  switch (outcome.kind) {
    case "delivered":
    case "duplicate":
    case "answered":
      if (outcome.isDeadLetter) logger.warn(line(outcome));
      // The default one says nothing of what went well, and making the line costs as much as finding the media type.
      else if (logger !== consoleLogger) logger.debug(line(outcome));
      break;
    case "aborted":
      logger.info(line(outcome));
      break;
    case "refused":
      logger.warn(line(outcome));
      break;
    case "failed":
      if (outcome.code === "ERR_WEBHOOK_DRAINING") logger.info(line(outcome));
      else if (outcome.error === undefined || isBusy(outcome.error)) logger.error(line(outcome));
      else writeError(logger, line(outcome), outcome.error);
      break;
  }
}

/** Whether an error is that of a receiver which is full or away: where it was thrown tells nothing, and an outage has many. */
function isBusy(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === "ERR_WEBHOOK_EMITTER_BUSY";
}

function line(outcome: Outcome): string {
  const { kind, status, node, code, detail, advice, trackingId, deliveryId, eventType } = outcome;
  const told = [code, trackingId, deliveryId && `delivery ${deliveryId}`, eventType && `type ${eventType}`];
  const said = joined([detail, advice ?? unsaid(outcome)]);
  const parts = [`webhook ${node}: ${kind}, ${status}`, outcome.isDeadLetter && "dead letter", ...told];
  return printable(joined(parts) + (said && `: ${said}`));
}

/** Words in one line, without those that are absent. */
function joined(words: readonly (string | false | undefined)[]): string {
  let line = "";
  for (const word of words) if (word) line += line === "" ? word : ` ${word}`;
  return line;
}

/** What the sender was not told is what whoever runs the node has to know. */
function unsaid({ kind, detail, error, isDeadLetter }: Outcome): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return isDeadLetter || isBusy(error) || (kind === "refused" && detail === undefined) ? error.message : undefined;
}

// eslint-disable-next-line no-control-regex -- control characters are what must not reach a terminal or a log reader
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const EACH_UNPRINTABLE = new RegExp(UNPRINTABLE, "g");

/** A line that a sender's text cannot break, nor fill. */
export function printable(text: string): string {
  const line = text.slice(0, 1000);
  // Nearly all lines are, and to find that out is cheaper than to replace nothing.
  if (!UNPRINTABLE.test(line)) return line;
  return line.replace(EACH_UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
