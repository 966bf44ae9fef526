/**
 * The last step: answers any refusal with a problem document (RFC 9457), at once.
 *
 * Express's own error handler waits for the whole body before it writes a word, and shows stack traces outside
 * production. Mount `problem()` after the steps, or let `createWebhookNode()` do it.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { answer } from "./request/answer";
import { recordOf, type DeliveryRecord } from "./request/delivery";
import { logError } from "./request/logger";
import { checkOptions, shown } from "./request/options";
import { refusalOf, type Refusal } from "./request/refusal";
import { isReplay, refusedDelivery, type QuarantinePort } from "./request/refused";

/** An error-handling middleware of Express 4 and 5. */
export type ErrorStep = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export type ProblemOptions = {
  /**
   * Keeps deliveries that were refused by a fault of their sender's, or by a secret or schema that is to be mended:
   * `quarantine({ folder })` of `express-webhook-node/emit/quarantine`.
   *
   * @defaultValue none
   */
  readonly quarantine?: QuarantinePort | undefined;
};

/**
 * Creates the error handler that ends a chain of steps. The document has `type`, `title`, `status`, `detail` and `code`;
 * no stack, path or foreign markup ever goes out. An answer that was begun already is left to Express to cut off.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function problem(options: ProblemOptions = {}): ErrorStep {
  checkOptions("problem", options);
  const { quarantine } = options;
  if (quarantine !== undefined && typeof (quarantine as Partial<QuarantinePort> | null)?.keep !== "function") {
    throw new TypeError(`quarantine: ${shown(quarantine)} has no keep(); quarantine({ folder }) makes one that has.`);
  }

  // Express knows an error handler by its four parameters.
  return function problem(error, request, response, next) {
    const record = recordOf(request, response);
    const refusal = refusalOf(error, record.source);
    if (quarantine && refusal.outcome.kind === "refused" && !isReplay(request) && !response.headersSent)
      record.hold(keep(quarantine, record, refusal));
    record.end(refusal.outcome);
    record.lifetime.close();
    if (response.headersSent) next(error);
    else answer(record, refusal.answer);
  };
}

/** Whatever becomes of it, the sender is answered. */
async function keep(quarantine: QuarantinePort, record: DeliveryRecord, refusal: Refusal): Promise<void> {
  // A body that came with the header section is there once the parser has returned, and before the answer drops it.
  await Promise.resolve();
  try {
    await quarantine.keep(refusedDelivery(record, refusal));
  } catch (error) {
    const { logger, name } = record.surroundings;
    logError(logger, `webhook ${name}: a refused delivery could not be kept`, error);
  }
}
