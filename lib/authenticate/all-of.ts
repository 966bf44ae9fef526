/**
 * Authenticator: lets in whom all of several authenticators vouch for.
 *
 * @module
 */
import type { Pair } from "../request/delivery";
import { checkFunction } from "../request/options";
import type { Authenticator, AuthenticatorResult, NamedAuthenticator, Source } from "./authenticator";
import { AuthCredentials } from "./credentials";

/**
 * Creates an authenticator that asks each in turn, and stops at the first that does not accept: its exception, its `null`
 * or its user is the result. The sender is the first one's, with the scopes of all.
 *
 * With a source in the first place it is a source: the provider's verification, and checks of your own after it.
 *
 * @throws TypeError at start, without authenticators.
 */
export function allOf<Context = unknown>(...authenticators: Authenticator<Context>[]): NamedAuthenticator<Context>;
export function allOf<Event, Context = unknown>(
  source: Source<Event, Context>,
  ...checks: Authenticator<Context>[]
): Source<Event, Context>;
export function allOf(first: Source | Authenticator, ...others: Authenticator[]): Source | Authenticator {
  if (typeof first === "object" && first !== null)
    return { ...first, authenticator: all([first.authenticator, ...others]) };
  return all([first, ...others]);
}

function all(authenticators: readonly Authenticator[]): Authenticator {
  for (const authenticator of authenticators) checkFunction("allOf", authenticator);

  return async function allOf(args) {
    const scopes = new Set<string>();
    let accepted: AuthenticatorResult = null;
    for (const authenticator of authenticators) {
      const result = await authenticator(args);
      // What is no pair is for the step to name as broken.
      if (!isAccepting(result)) return result;
      for (const scope of result[0].scopes) scopes.add(scope);
      accepted ??= result;
    }
    return accepted && [new AuthCredentials([...scopes]), accepted[1]];
  };
}

function isAccepting(result: AuthenticatorResult): result is Pair {
  if (!Array.isArray(result) || result.length !== 2) return false;
  const [credentials, user] = result as Pair;
  return Array.isArray(credentials?.scopes) && user?.isAuthenticated === true;
}
