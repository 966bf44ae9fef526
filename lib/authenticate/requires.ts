/**
 * Holds authenticated senders to scopes: who is known and may not, is 403.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { WebhookError } from "../errors";
import type { Pair } from "../request/delivery";
import { checkFunction, shown } from "../request/options";
import { step, type Step } from "../request/step";
import type { Authenticator, AuthenticatorResult, NamedAuthenticator, Source } from "./authenticator";
import { challenge } from "./challenge";

// RFC 6750 section 3: what a scope can be told by.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Asks for scopes, all of them where there are several. A sender without them is refused with `ERR_WEBHOOK_FORBIDDEN` (403).
 *
 * With an authenticator, or a source, it is one again, for a node; alone it is a step, for after `authenticate()`.
 *
 * @throws TypeError at start, for a scope that is none.
 *
 * @example
 * ```ts
 * createWebhookNode({ authenticator: requires("push", bearerAuthenticator({ tokens })), emitter });
 * app.post("/in", authenticate({ authenticator }), requires("push"), handler, problem());
 * ```
 */
export function requires(scope: string | readonly string[]): Step;
export function requires<Event, Context = unknown>(
  scope: string | readonly string[],
  source: Source<Event, Context>,
): Source<Event, Context>;
export function requires<Context = unknown>(
  scope: string | readonly string[],
  authenticator: Authenticator<Context>,
): NamedAuthenticator<Context>;
export function requires(
  scope: string | readonly string[],
  of?: Source | Authenticator,
): Step | Source | Authenticator {
  const scopes = checkScopes(scope);
  if (of === undefined) {
    return step(function requires({ request, pair }) {
      if (!hasAll(pair, scopes)) throw forbidden(request, scopes, pair);
    });
  }
  if (typeof of === "object" && of !== null) {
    return { ...of, authenticator: requiring(scopes, checkFunction("requires", of.authenticator)) };
  }
  return requiring(scopes, checkFunction("requires", of));
}

function requiring(scopes: readonly string[], authenticator: Authenticator): Authenticator {
  return async function requires(args) {
    const result = await authenticator(args);
    // What is no pair, and whom the authenticator does not vouch for, is for the step to judge.
    if (isAccepting(result) && !hasAll(result, scopes)) throw forbidden(args.request, scopes, result);
    return result;
  };
}

function isAccepting(result: AuthenticatorResult): result is Pair {
  if (!Array.isArray(result) || result.length !== 2) return false;
  const [credentials, user] = result as Pair;
  return Array.isArray(credentials?.scopes) && user?.isAuthenticated === true;
}

function hasAll(pair: Pair | undefined, scopes: readonly string[]): boolean {
  return pair !== undefined && scopes.every((scope) => pair[0].scopes.includes(scope));
}

function forbidden({ headers }: IncomingMessage, scopes: readonly string[], pair: Pair | undefined): WebhookError {
  const scope = scopes.join(" ");
  const told = `the scope${scopes.length > 1 ? "s" : ""} ${scope}`;
  const isBearer = /^bearer /i.test(headers.authorization ?? "");
  return new WebhookError("ERR_WEBHOOK_FORBIDDEN", `The sender may not deliver here: it needs ${told}.`, {
    // RFC 6750 section 3.1.
    ...(isBearer && { headers: { "WWW-Authenticate": challenge("Bearer", { error: "insufficient_scope", scope }) } }),
    advice: pair
      ? `It was granted ${pair[0].scopes.join(" ") || "none"}.`
      : "Nobody was authenticated: requires() stands after authenticate().",
  });
}

function checkScopes(scope: string | readonly string[]): readonly string[] {
  const scopes: readonly unknown[] = Array.isArray(scope) ? scope : [scope];
  if (scopes.length === 0) throw new TypeError("requires: the list of scopes is empty, so it would ask for nothing.");
  for (const one of scopes) {
    if (typeof one !== "string" || !SCOPE.test(one)) {
      throw new TypeError(`requires: ${shown(one)} is not a scope: a word of ASCII without spaces.`);
    }
  }
  return [...(scopes as readonly string[])];
}
