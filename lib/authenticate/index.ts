/**
 * Step: invokes the authenticator, and lets through whom it vouches for.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { diagnoser, type DiagnoseOptions } from "./diagnose";
import { AuthCredentials, UnauthenticatedUser, type BaseUser } from "./credentials";
import type { Authenticator, AuthenticatorArguments, SourceFor, WebhookRequest } from "./authenticator";
import { WebhookError } from "../errors";
import { answer } from "../request/answer";
import type { DeliveryRecord, Pair } from "../request/delivery";
import { lazyMembers } from "../request/lazy";
import { printable } from "../request/outcome";
import { checkFunction, checkOptions, eitherOf, shown, successStatus, text } from "../request/options";
import { isThenable } from "../request/thenable";
import { HTTP_EXCEPTION, refusalOf } from "../request/refusal";
import { step, type Step } from "../request/step";

export type AuthenticateOptions<Context = unknown, Event = unknown> = {
  /** A function that tells who sent a request. Excludes `source`. */
  readonly authenticator?: Authenticator<Context> | undefined;
  /** A provider's ready-made authenticator, with what belongs to it. To add a check of your own: `allOf(source, check)`. */
  readonly source?: SourceFor<Event, Context> | undefined;
  /**
   * What becomes of a request whose authenticator returns `null`, and of all requests where there is no authenticator:
   * `"reject"` with `ERR_WEBHOOK_FORBIDDEN` (403), or `"accept"` from any sender.
   *
   * @defaultValue `"reject"`
   */
  readonly anonymous?: "accept" | "reject" | undefined;
  /**
   * `"report"` lets in what lacks a right proof (401), marked `isUnverified`, with a log line that says why: for rolling an
   * authenticator out on an endpoint that was open before. Everything else is refused as ever.
   *
   * @defaultValue `"enforce"`
   */
  readonly enforcement?: "enforce" | "report" | undefined;
  /**
   * Explains in the log why a signature did not match: after the answer, and at most once a second. It tries the usual
   * mistakes with the secrets it has, and with others that you name.
   *
   * @defaultValue `false`
   */
  readonly diagnose?: boolean | DiagnoseOptions | undefined;
  /** The object handed to the authenticator at each call. A node makes one; alone, the step has an empty one. */
  readonly context?: Context | undefined;
};

/** What a request carries once it is authenticated, by the names that the hosted product uses. */
export type Authenticated = { auth?: AuthCredentials; user?: BaseUser };

const withBodyAndSignal = lazyMembers<DeliveryRecord, Pick<AuthenticatorArguments, "body" | "signal">>({
  body: (record) => record.body,
  signal: (record) => record.signal,
});

/**
 * Creates the step that authenticates. The pair lands on `request.auth` and `request.user`, by names that Express's types do
 * not know: in TypeScript, read it as `delivery(request).pair`, which is typed.
 *
 * An authenticator that throws an `HTTPException` dictates the response; any other error is 500, and nothing of it reaches
 * the sender; a failure of the body keeps its own status. A user that is not authenticated is refused with
 * `ERR_WEBHOOK_FORBIDDEN` (403). Any value but `null` and a pair is refused with `ERR_WEBHOOK_AUTHENTICATOR` (500).
 *
 * @throws TypeError at start, without `source`, `authenticator` or `anonymous: "accept"`: a node is never open by omission.
 */
export function authenticate<Context = unknown, Event = unknown>(options: AuthenticateOptions<Context, Event>): Step {
  checkOptions("authenticate", options);
  const { source, anonymous = "reject", context = {} as Context } = options;
  const authenticator = authenticatorOf(options) as Authenticator | undefined;
  const { enforcement = "enforce" } = options;
  const diagnose = diagnoser(options.diagnose);
  const isReportOnly = eitherOf("enforcement", enforcement, "enforce", "report") === "report";

  // Where nobody is asked, nothing is waited for.
  if (!authenticator) {
    return step(function authenticate({ request }) {
      place(request, null);
    });
  }

  return step(async function authenticate(record) {
    const { request, lifetime } = record;
    record.source = source;
    let result: unknown;
    try {
      const returned: unknown = authenticator(
        withBodyAndSignal({ context, request: request as WebhookRequest }, record),
      );
      result = isThenable(returned) ? await lifetime.race(returned) : returned;
    } catch (error) {
      // C2: whatever the authenticator made of it, a body that failed keeps its own status.
      if (record.bodyFailure) throw record.bodyFailure;
      const status = statusOf(error);
      if (status === 401) diagnose(error, record);
      if (isReportOnly && status === 401) {
        reportUnverified(record, error as Error);
        return;
      }
      // C1: an exception below 400 is an answer, and no error for the app's error handlers.
      if (status >= 400) throw error;
      const refusal = refusalOf(error);
      record.end(refusal.outcome);
      answer(record, refusal.answer);
      lifetime.close();
      return;
    }
    if (record.bodyFailure) throw record.bodyFailure;

    const pair = pairOf(result, anonymous);
    record.pair = pair ?? undefined;
    place(request, pair);
  });
}

/** B3: what the product's authenticators set, by its own names. */
function place(request: IncomingMessage, pair: Pair | null): void {
  const authenticated = request as { auth?: unknown; user?: unknown };
  authenticated.auth = pair ? pair[0] : new AuthCredentials();
  authenticated.user = pair ? pair[1] : new UnauthenticatedUser();
}

function reportUnverified(record: DeliveryRecord, { message }: Error): void {
  record.isUnverified = true;
  place(record.request, null);
  const { name, logger } = record.surroundings;
  logger.warn(`webhook ${name}: let in unverified, for enforcement is "report": ${printable(message)}`);
}

function authenticatorOf<Context, Event>({
  source,
  authenticator,
  anonymous = "reject",
}: AuthenticateOptions<Context, Event>): Authenticator<Context> | undefined {
  eitherOf("anonymous", anonymous, "accept", "reject");
  if (source !== undefined && authenticator !== undefined) {
    throw new TypeError(
      "source and authenticator exclude each other; to add a check to a source, pass allOf(source, check) as source.",
    );
  }
  if (source !== undefined) {
    if (typeof source !== "object" || source === null || typeof source.authenticator !== "function") {
      throw new TypeError(
        `source: ${shown(source)} is not a source; call it with its options, as in github({ secrets }).`,
      );
    }
    text("source.name", source.name);
    successStatus("source.success.status", source.success?.status ?? 200);
    return source.authenticator;
  }
  if (authenticator !== undefined) return checkFunction("authenticator", authenticator);
  if (anonymous === "accept") return undefined;
  throw new TypeError(
    'authenticate: nothing says who may send; pass source or authenticator, or anonymous: "accept" to take any webhook from any sender.',
  );
}

/** The status that an `HTTPException` dictates; infinite for any other error, which dictates none. */
function statusOf(error: unknown): number {
  const { code, status } = (error ?? {}) as { code?: unknown; status?: unknown };
  return code === HTTP_EXCEPTION && typeof status === "number" ? status : Infinity;
}

/** Holds what came back to its form. @throws WebhookError 403 for a sender that is not let in, 500 for a broken authenticator. */
function pairOf(result: unknown, anonymous: "accept" | "reject"): Pair | null {
  if (result === null) {
    if (anonymous === "accept") return null;
    throw forbidden('The authenticator returned null, and anonymous is "reject".');
  }
  if (!Array.isArray(result) || result.length !== 2) throw broken(`it returned ${shown(result)}`);
  const [credentials, user] = result as [unknown, unknown];
  const { scopes } = (credentials ?? {}) as { scopes?: unknown };
  if (!Array.isArray(scopes)) throw broken(`the first of the pair, ${shown(credentials)}, has no list of scopes`);
  const { isAuthenticated } = (user ?? {}) as { isAuthenticated?: unknown };
  if (typeof isAuthenticated !== "boolean") {
    throw broken(`isAuthenticated of the second of the pair is ${shown(isAuthenticated)}, neither true nor false`);
  }
  if (!isAuthenticated) throw forbidden("The authenticator's user is not authenticated.");
  return result as unknown as Pair;
}

function forbidden(advice: string): WebhookError {
  return new WebhookError("ERR_WEBHOOK_FORBIDDEN", "The sender is not allowed to deliver here.", { advice });
}

function broken(what: string): WebhookError {
  return new WebhookError("ERR_WEBHOOK_AUTHENTICATOR", "The delivery could not be authenticated.", {
    advice: `The authenticator is broken: ${what}. It must return null, or a pair of AuthCredentials and a BaseUser.`,
  });
}
