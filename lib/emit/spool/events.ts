/**
 * What becomes of the messages of a spool, told on a diagnostics channel.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import type { SpoolStats } from "./stock";
import type { SpoolEntry } from "./schedule";

/** What has become of a message of a spool. Published as `express-webhook-node:spool`. */
export type SpoolEvent = {
  /** `removed` is a dead one that `deadLetter` or `drop()` has taken away; `retried` one that is pending again. */
  readonly kind: "stored" | "delivered" | "failed" | "busy" | "dead" | "removed" | "retried";
  readonly folder: string;
  readonly id: string;
  /** How many attempts have failed. */
  readonly attempts: number;
  /** Why the last one has. */
  readonly error?: string;
  /** How the spool stands. Computed when it is asked for. */
  readonly stats: () => SpoolStats;
};

/** Tells of one message. */
export type Tell = (kind: SpoolEvent["kind"], entry: SpoolEntry) => void;

const events = channel("express-webhook-node:spool");

/** Creates what tells of the messages of one spool. It costs nothing where nobody listens. */
export function teller(folder: string, stats: () => SpoolStats): Tell {
  return (kind, { id, attempts, error }) => {
    if (!events.hasSubscribers) return;
    events.publish({ kind, folder, id, attempts, ...(error !== undefined && { error }), stats } satisfies SpoolEvent);
  };
}
