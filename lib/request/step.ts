/**
 * Makes a step: a middleware of Node's types that goes on by itself, and hands what it throws to `next`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { refusalOf } from "./refusal";
import { recordOf, type DeliveryRecord } from "./delivery";

/** A middleware for Express 4 and 5, and for whatever else calls `(req, res, next)`. */
export type Step = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

type Next = (error?: unknown) => void;

/**
 * Makes a step of a function of the request's record. It goes on to the next one when the function has returned and has
 * not answered; what it throws, or rejects with, ends the request and goes to `next`, which Express 4 does not do.
 */
export function step(run: (record: DeliveryRecord) => void | Promise<void>): Step {
  const { name } = run;
  const middleware: Step = (request, response, next) => {
    const record = recordOf(request, response);
    record.enter(name);
    let running: void | Promise<void>;
    try {
      running = run(record);
    } catch (error) {
      refuse(record, error, next);
      return;
    }
    if (running === undefined) goOn(record, next);
    else {
      running.then(
        () => goOn(record, next),
        (error: unknown) => refuse(record, error, next),
      );
    }
  };
  // Stack traces then read as a list of steps.
  return Object.defineProperty(middleware, "name", { value: name });
}

function goOn(record: DeliveryRecord, next: Next): void {
  if (!record.isAnswered) next();
}

function refuse(record: DeliveryRecord, error: unknown, next: Next): void {
  const { outcome } = refusalOf(error, record.source);
  record.lifetime.close();
  record.end(outcome);
  // To an error behind a whole answer, Express's own handler would cut the connection that it went out on.
  if (!record.response.writableEnded) next(asError(error));
}

/**
 * What Express takes for an error whatever was thrown: at a falsy value it would run the steps behind a refusal, and at the
 * words "route" and "router" leave the path.
 */
function asError(thrown: unknown): object {
  if (typeof thrown === "object" && thrown !== null) return thrown;
  return new Error("What was thrown is no error.", { cause: thrown });
}
