/**
 * Octets in flight between two marks: from the high one on new requests are refused, until the low one is reached.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import { retryAfter, WebhookError } from "../errors";
import type { Surroundings } from "../request/delivery";
import { logWarning } from "../request/logger";

/** A node that has become full, or is no longer. Published as `express-webhook-node:backpressure`. */
export type Backpressure = {
  /** The name of the node. */
  readonly node: string;
  /** Whether new requests are refused from now on. */
  readonly isRefusing: boolean;
  /** Octets held now, in bytes. */
  readonly inFlightBytes: number;
  readonly maxInFlightBytes: number;
  readonly resumeInFlightBytes: number;
  /** How many requests were refused since the node became full. */
  readonly refused: number;
};

const changes = channel("express-webhook-node:backpressure");
/** The longest that a sender is asked to wait, in seconds, before chance is added. */
const LONGEST_WAIT = 60;

type Spell = { readonly since: number; refused: number };

export class Watermarks {
  readonly #max: number;
  readonly #low: number;
  #bytes = 0;
  #full: Spell | undefined;

  constructor(max: number, low: number) {
    this.#max = max;
    this.#low = low;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why a request that announces so many octets is not let in, if it is not. */
  refusal(bytes: number, node: Surroundings): WebhookError | undefined {
    return this.#full || this.#bytes + bytes > this.#max ? this.#refuse(node) : undefined;
  }

  /** Takes octets of a request that was let in, or returns why there is no room for them. */
  take(bytes: number, node: Surroundings): WebhookError | undefined {
    if (this.#bytes + bytes > this.#max) return this.#refuse(node);
    this.#bytes += bytes;
    return undefined;
  }

  give(bytes: number, node: Surroundings): void {
    this.#bytes -= bytes;
    if (!this.#full || this.#bytes > this.#low) return;
    const { refused } = this.#full;
    this.#full = undefined;
    logWarning(node.logger, `webhook ${node.name}: no longer full; ${refused} requests were refused meanwhile.`);
    this.#tell(node, refused);
  }

  #refuse(node: Surroundings): WebhookError {
    // What is too large by itself does not make a node full that holds little.
    if (!this.#full && this.#bytes > this.#low) {
      this.#full = { since: performance.now(), refused: 0 };
      logWarning(node.logger, `webhook ${node.name}: full: ${this.#bytes} octets are under way; is the emitter slow?`);
      this.#tell(node, 0);
    }
    if (this.#full) this.#full.refused++;
    return busy(this.#wait());
  }

  /** The longer the node has been full, the later senders come again, and not all at once. */
  #wait(): number {
    if (!this.#full) return 1;
    const seconds = (performance.now() - this.#full.since) / 1000;
    return Math.min(1 + seconds, LONGEST_WAIT) * (1 + Math.random() / 2);
  }

  #tell({ name }: Surroundings, refused: number): void {
    if (!changes.hasSubscribers) return;
    changes.publish({
      node: name,
      isRefusing: this.#full !== undefined,
      inFlightBytes: this.#bytes,
      maxInFlightBytes: this.#max,
      resumeInFlightBytes: this.#low,
      refused,
    } satisfies Backpressure);
  }
}

/** The refusal of what there is no room for. */
export function busy(seconds = 1): WebhookError {
  return new WebhookError("ERR_WEBHOOK_BUSY", "Too much is under way; send the delivery again.", {
    headers: retryAfter(seconds),
    advice: "The octets of all requests under way have reached maxInFlightBytes: is the emitter slow?",
  });
}
