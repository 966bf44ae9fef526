/**
 * Emitter: a second receiver for what the first one cannot take now.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import type { Emitter, Message } from "../message";
import { Holds } from "../request/holds";
import { Lifetime } from "../request/lifetime";
import { checkLogger, consoleLogger, logWarning, type Logger } from "../request/logger";
import { checkFunction, checkOptions, positiveInteger } from "../request/options";
import { emitContext } from "./emit-context";
import { invoke } from "./invoke";
import { isPermanent } from "./permanent-error";

export type FallbackOptions = {
  /**
   * How long the first may take, in milliseconds: less than the node's `deadlineMs`, by what the second needs. A
   * confirmation that comes later is too late: then both have the message, with the same `key`.
   *
   * @defaultValue `2_000`
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Octets that the first may hold beyond its time, in bytes: a broker that swallows all and answers nothing is not to fill
   * the memory. Beyond them it is passed over until it has settled some, or let go of them.
   *
   * @defaultValue `67_108_864` (64 MiB)
   */
  readonly maxLateBytes?: number | undefined;
  /**
   * Told when the first fails, and when it takes messages again.
   *
   * @defaultValue `console`
   */
  readonly logger?: Logger | undefined;
};

/** A message that goes to the second receiver. Published as `express-webhook-node:fallback`. */
export type Fallback = {
  readonly message: Message;
  /** Why: what the first has thrown, or that it took too long. */
  readonly error: unknown;
};

const fallbacks = channel("express-webhook-node:fallback");

/**
 * Creates an emitter that hands a message to `primary`, and to `secondary` where that fails or takes too long:
 * `fallback(brokerEmitter, spool({ folder, emitter: brokerEmitter }))` keeps what comes while the broker is away. A
 * `PermanentError` of the first is the second's no more than the first's: the delivery fails with it.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function fallback<Payload = unknown>(
  primary: Emitter<Payload>,
  secondary: Emitter<Payload>,
  options: FallbackOptions = {},
): Emitter<Payload> {
  const first = checkFunction("fallback: primary", primary) as Emitter;
  const second = checkFunction("fallback: secondary", secondary) as Emitter;
  checkOptions("fallback", options, ["timeoutMs", "maxLateBytes", "logger"]);
  const { timeoutMs = 2_000, maxLateBytes = 67_108_864 } = options;
  const logger = checkLogger(options.logger ?? consoleLogger);
  positiveInteger("timeoutMs", timeoutMs);
  positiveInteger("maxLateBytes", maxLateBytes);
  let lateBytes = 0;
  /** Messages that went to the second since the first took one. */
  let passedOn = 0;

  async function attempt(message: Message): Promise<void> {
    if (lateBytes >= maxLateBytes)
      throw new Error("The first emitter holds maxLateBytes unsettled, and is passed over.");
    const lifetime = new Lifetime(timeoutMs);
    const context = emitContext(lifetime);
    const work = invoke("primary of fallback", first, message, context);
    try {
      await lifetime.race(work);
    } catch (error) {
      if (!lifetime.over) throw error;
      holdLate(work, message.octets.length);
      throw new Error(`The first emitter had not settled after timeoutMs (${timeoutMs}) of fallback.`, {
        cause: error,
      });
    } finally {
      lifetime.close();
    }
  }

  function holdLate(work: Promise<void>, bytes: number): void {
    lateBytes += bytes;
    const holds = new Holds();
    holds.whenReleased(() => (lateBytes -= bytes));
    holds.add(work);
    holds.done();
  }

  return async function fallback(message, context) {
    try {
      await attempt(message);
      if (passedOn > 0)
        logWarning(logger, `fallback: the first emitter works again; ${passedOn} messages were passed on.`);
      passedOn = 0;
    } catch (error) {
      if (isPermanent(error)) throw error;
      if (passedOn++ === 0) {
        logWarning(logger, `fallback: messages go to the second emitter, as the first fails: ${reasonOf(error)}`);
      }
      if (fallbacks.hasSubscribers) fallbacks.publish({ message, error } satisfies Fallback);
      await invoke("secondary of fallback", second, message, context);
    }
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
