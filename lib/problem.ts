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
import { recordOf } from "./request/delivery";
import { refusalOf } from "./request/refusal";

/** An error-handling middleware of Express 4 and 5. */
export type ErrorStep = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Creates the error handler that ends a chain of steps. The document has `type`, `title`, `status`, `detail` and `code`;
 * no stack, path or foreign markup ever goes out. An answer that was begun already is left to Express to cut off.
 */
export function problem(): ErrorStep {
  // Express knows an error handler by its four parameters.
  return function problem(error, request, response, next) {
    const record = recordOf(request, response);
    const refusal = refusalOf(error, record.source);
    record.end(refusal.outcome);
    record.lifetime.close();
    if (response.headersSent) next(error);
    else answer(record, refusal.answer);
  };
}
