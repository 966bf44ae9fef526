/**
 * Step: begins the record of a request, and starts its clock.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { recordOf, type Surroundings } from "./delivery";
import { checkLogger, consoleLogger, type Logger } from "./logger";
import { checkOptions, positiveInteger, text } from "./options";
import type { Step } from "./step";

export type BeginOptions = {
  /**
   * The name of the node, in messages, outcomes and log lines.
   *
   * @defaultValue `"webhook"`
   */
  readonly name?: string | undefined;
  /**
   * Where refusals, failures and what mends them are written.
   *
   * @defaultValue `console`, for refusals and failures alone
   */
  readonly logger?: Logger | undefined;
  /**
   * The budget of time of a request, in milliseconds, counted from this step. Once it is spent, a body still awaited is
   * refused with `ERR_WEBHOOK_BODY_TIMEOUT` (408), anything else with `ERR_WEBHOOK_DEADLINE` (503).
   *
   * @defaultValue `10_000`
   */
  readonly deadlineMs?: number | undefined;
};

/**
 * Creates the step that begins a request. Steps mounted alone do without it, under the defaults; `createWebhookNode()`
 * has it first.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function begin(options: BeginOptions & { readonly events?: Surroundings["events"] } = {}): Step {
  checkOptions("begin", options);
  const { name = "webhook", logger = consoleLogger, deadlineMs = 10_000, events } = options;
  const surroundings: Surroundings = {
    name: text("name", name),
    logger: checkLogger(logger),
    deadlineMs: positiveInteger("deadlineMs", deadlineMs),
    events,
  };

  return function begin(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void {
    recordOf(request, response, surroundings).enter("begin");
    next();
  };
}
