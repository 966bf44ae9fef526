/**
 * The path of a request, from accept to emit, as one Express router.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Router } from "express";
import { admission, type AdmissionOptions, type Drained } from "./accept/admission";
import { contentTypeGate, type ContentTypeGateOptions } from "./accept/content-type-gate";
import { decompress, type DecompressOptions } from "./accept/decompress";
import { framing } from "./accept/framing";
import { handshake } from "./accept/handshake";
import { methodGate, type MethodGateOptions } from "./accept/method-gate";
import { authenticate, type AuthenticateOptions } from "./authenticate";
import type { Authenticator } from "./authenticate/authenticator";
import { emit, type EmitOptions } from "./emit";
import { auditTrail, type Auditor, type AuditRecord, type AuditSink } from "./emit/audit";
import { compileMessageType } from "./emit/compile-message-type";
import { jsonPayload } from "./emit/json-payload";
import { messageTypeGate, type MessageTypeGateOptions } from "./emit/message-type-gate";
import { reply } from "./emit/reply";
import { problem, type ProblemOptions } from "./problem";
import { begin, type BeginOptions } from "./request/begin";
import { chain } from "./request/chain";
import { consoleLogger } from "./request/logger";
import { checkOptions, OPTION_WORDS } from "./request/options";
import type { Outcome } from "./request/outcome";
import { CONTEXT_WORDS, makeContext, type AnyState, type Context, type ContextOptions } from "./tenant/context";
import { createFunctionLibrary, type LibraryFunction } from "./tenant/functions";
import { requirementsOf } from "./tenant/module-function";
import { checkRequirements, type RequirementsOptions } from "./tenant/requirements";
import { tenantOf, type Tenant } from "./tenant/tenant";

/** The options of all steps of a node. `State` types what the app's functions keep on the context. */
export type WebhookNodeOptions<Payload = unknown, State extends object = AnyState> = BeginOptions &
  MethodGateOptions &
  ContentTypeGateOptions &
  AdmissionOptions &
  DecompressOptions &
  Omit<AuthenticateOptions<Context<State>, Payload>, "context" | "authenticator"> &
  Omit<EmitOptions<Payload>, "audit"> &
  Omit<MessageTypeGateOptions, "messageType"> &
  ContextOptions<State> &
  RequirementsOptions &
  ProblemOptions & {
    /**
     * A function that tells who sent a request, or the name of one: in the tenant's function library, or the system's, such
     * as `echo.basic`. Excludes `source`.
     */
    readonly authenticator?: Authenticator<Context<State>> | string | undefined;
    /** Tells what an audit record holds besides the standard fields. It takes the place of the message type's own. */
    readonly auditor?: Auditor<Payload> | undefined;
    /** Keeps audit records: a function, such as `jsonLinesFile({ path })`. */
    readonly auditSink?: AuditSink | undefined;
    /**
     * How long the auditor may take over one message, in milliseconds. It delays no answer.
     *
     * @defaultValue `1_000`
     */
    readonly auditTimeoutMs?: number | undefined;
  };

/** The words of these options. Context and events are the node's own to make. */
const NODE_WORDS = [
  ...OPTION_WORDS,
  ...CONTEXT_WORDS,
  "requirements",
  "resolveFrom",
  "auditor",
  "auditSink",
  "auditTimeoutMs",
].filter((word) => word !== "audit" && word !== "context" && word !== "events");

/** What a node tells: it only observes, so nothing that a listener does changes an answer. */
export type WebhookNodeEvents = { readonly outcome: [Outcome]; readonly audit: [AuditRecord] };

/** An Express router that receives webhooks at its root, and what else a node can do. */
export type WebhookNode<State extends object = AnyState> = Router & {
  /** The object that the node's functions are called with. */
  readonly context: Context<State>;
  /** Emits `outcome` once for each request, and `audit` once for each message. */
  readonly events: EventEmitter<WebhookNodeEvents>;
  /**
   * Lets the requests under way be answered and refuses new ones with 503. Resolves when all are answered, or after
   * `timeoutMs` (10 s), to how many were not. Calling it twice is one drain.
   */
  drain: (options?: { readonly timeoutMs?: number | undefined }) => Promise<Drained>;
};

/**
 * Creates a webhook node: mount it where the deliveries are to arrive, above any body parser.
 *
 * @throws TypeError at start, for an option that is wrong or unknown, and without `source`, `authenticator` or
 * `anonymous: "accept"`.
 *
 * @example
 * ```ts
 * app.use("/webhooks/github", createWebhookNode({
 *   authenticator: hmacAuthenticator({ header: "X-Hub-Signature-256", prefix: "sha256=", secrets: [secret] }),
 *   emitter: async (message) => { await queue.add(message.key, message.payload); },
 * }));
 * ```
 */
export function createWebhookNode<Payload = unknown, State extends object = AnyState>(
  nodeOptions: WebhookNodeOptions<Payload, State>,
): WebhookNode<State> {
  checkOptions("createWebhookNode", nodeOptions, NODE_WORDS);
  const {
    tenant: shared,
    config,
    loggingLevel,
    requirements = [],
    resolveFrom,
    authenticator,
    auditor,
    auditSink,
    auditTimeoutMs,
    ...options
  } = nodeOptions;
  const tenant = tenantOf(shared);
  const { name: node = "webhook", logger = tenant.logger ?? consoleLogger, source } = options;
  const accepts = acceptsOf(options);
  const events = new EventEmitter<WebhookNodeEvents>();
  const context = makeContext<State>({ node, tenant, config, logger, loggingLevel });
  const secured = authenticatorOf(authenticator, tenant, context);
  const messageType = compileMessageType(options.messageType === undefined ? "echo.json" : options.messageType, {
    library: tenant.messageTypes,
    mediaTypes: Array.isArray(accepts.mediaTypes) ? (accepts.mediaTypes as readonly string[]) : [],
  });
  const audit = auditTrail({
    auditor: auditor ?? messageType.auditor,
    sink: auditSink,
    timeoutMs: auditTimeoutMs,
    tenant: tenant.name,
    events,
    logger,
  });
  // What is no list is left for the check to refuse.
  const needed = Array.isArray(requirements)
    ? requirements.concat(secured.requirements, messageType.requirements)
    : requirements;
  checkRequirements({ requirements: needed as readonly string[], resolveFrom });
  const admit = admission(options);
  if (options.enforcement === "report") {
    logger.warn(
      `webhook ${node}: enforcement is "report": deliveries without a right proof are let in, marked isUnverified.`,
    );
  }

  if (options.split === false && source?.split && source.wants) {
    throw new TypeError(
      `split: false leaves deliveries whole, and only and ignore of ${source.name} are of their items.`,
    );
  }

  const { deadlineMs = 10_000 } = accepts;
  const { leaseSeconds = 60 } = options.deduplicate ?? {};
  if (options.deduplicate && leaseSeconds * 1000 <= deadlineMs) {
    throw new TypeError(`leaseSeconds: ${leaseSeconds} is not longer than deadlineMs (${deadlineMs}).`);
  }

  const steps = [
    begin({ ...accepts, logger, events }),
    // What is only for a source is left out where there is none.
    ...(source ? [handshake({ source })] : []),
    methodGate(options),
    framing(),
    contentTypeGate({ ...accepts, source }),
    messageTypeGate({ messageType, mediaTypeMismatch: options.mediaTypeMismatch }),
    decompress(accepts),
    admit,
    authenticate({ ...options, authenticator: secured.authenticator, context }),
    jsonPayload(),
    ...(source ? [reply()] : []),
    emit({ ...options, messageType, audit }),
  ];
  const router = Router({ mergeParams: true }).all("/", chain(steps, problem({ quarantine: options.quarantine })));
  let drained: Promise<Drained> | undefined;
  const drain: WebhookNode["drain"] = (limit) =>
    (drained ??= audited(admit.drain(limit), audit.settled, limit?.timeoutMs));
  return Object.assign(router, { context, events, drain });
}

/** Awaits audit records under way, once all requests are answered: for as long as the drain may take at the most. */
async function audited(drained: Promise<Drained>, settled: () => Promise<void>, timeoutMs = 10_000): Promise<Drained> {
  const until = performance.now() + timeoutMs;
  const result = await drained;
  await Promise.race([settled(), setTimeout(Math.max(0, until - performance.now()), undefined, { ref: false })]);
  return result;
}

/** An authenticator given by name or inline, and the packages that it needs. */
function authenticatorOf<State extends object>(
  authenticator: Authenticator<Context<State>> | string | undefined,
  { functions = createFunctionLibrary() }: Tenant,
  context: Context<State>,
): { readonly authenticator: Authenticator<Context<State>> | undefined; readonly requirements: readonly string[] } {
  if (typeof authenticator !== "string") {
    return {
      authenticator,
      requirements: requirementsOf((authenticator as LibraryFunction | undefined)?.requirements),
    };
  }
  return {
    authenticator: functions.authenticator(authenticator, context),
    requirements: functions.requirements(authenticator),
  };
}

/** The options, and what the source has where they say nothing. Media types are let in for either. */
function acceptsOf<Payload, State extends object>({
  source,
  ...options
}: WebhookNodeOptions<Payload, State>): WebhookNodeOptions<Payload, State> {
  const own = source?.accepts ?? {};
  // What is no list is left for the gate to refuse.
  const { maxBytes = own.maxBytes, deadlineMs = own.deadlineMs, mediaTypes = [] } = options;
  const joined = Array.isArray(mediaTypes) ? (own.mediaTypes ?? []).concat(mediaTypes as string[]) : mediaTypes;
  return { ...options, maxBytes, deadlineMs, mediaTypes: joined };
}
