/**
 * Authenticator: lets in whom any of several authenticators vouches for.
 *
 * @module
 */
import { checkFunction } from "../request/options";
import type { Authenticator, AuthenticatorResult } from "./authenticator";

/**
 * Creates an authenticator that asks each in turn until one accepts. A refusal (401, 403), `null` and a user that is not
 * authenticated mean: ask the next. Any other failure is remembered, so that an outage of one is not told as a wrong proof;
 * it is thrown if nobody accepts. Else the first refusal is.
 *
 * @throws TypeError at start, without authenticators.
 */
export function anyOf<Context = unknown>(...authenticators: Authenticator<Context>[]): Authenticator<Context> {
  if (authenticators.length === 0) throw new TypeError("anyOf: it needs at least one authenticator.");
  for (const authenticator of authenticators) checkFunction("anyOf", authenticator);

  return async function anyOf(args) {
    const refusals: unknown[] = [];
    const failures: unknown[] = [];
    let undecided: AuthenticatorResult | undefined;
    for (const authenticator of authenticators) {
      try {
        const result = await authenticator(args);
        if (result === null || result?.[1]?.isAuthenticated === false) undecided ??= result;
        // What is no pair is for the step to name as broken.
        else return result;
      } catch (error) {
        (isRefusal(error) ? refusals : failures).push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    if (refusals.length > 0) throw refusals[0];
    return undecided ?? null;
  };
}

function isRefusal(error: unknown): boolean {
  const { status } = (error ?? {}) as { status?: unknown };
  return status === 401 || status === 403;
}
