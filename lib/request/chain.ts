/**
 * The steps of a node, as one middleware.
 *
 * @module
 */
import type { Step } from "./step";

/** What the steps end in: an error-handling middleware. */
type LastStep = (error: unknown, ...of: Parameters<Step>) => void;

/**
 * Runs steps one after the other, and hands an error to the last, as a route of Express does. That one would keep its place
 * for each step anew, at a twentieth of what a request costs.
 */
export function chain(steps: readonly Step[], last: LastStep): Step {
  return function webhookNode(request, response, next) {
    let at = 0;
    const goOn = (error?: unknown): void => {
      if (error !== undefined) last(error, request, response, next);
      else if (at === steps.length) next();
      else (steps[at++] as Step)(request, response, goOn);
    };
    goOn();
  };
}
