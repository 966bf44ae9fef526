/**
 * The words of options, held equal to the types.
 */
import {
  createWebhookNode,
  type AdmissionOptions,
  type AuthenticateOptions,
  type BeginOptions,
  type ContentTypeGateOptions,
  type DecompressOptions,
  type EmitOptions,
  type MessageTypeGateOptions,
  type MethodGateOptions,
  type ProblemOptions,
  type WebhookNodeOptions,
} from "express-webhook-node";
import { OPTION_WORDS } from "express-webhook-node/request/options";
import { CONTEXT_WORDS, type ContextOptions } from "express-webhook-node/tenant/context";

/** Whether two types are the same, in both directions. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

type OfSteps =
  | keyof BeginOptions
  | keyof MethodGateOptions
  | keyof ContentTypeGateOptions
  | keyof AdmissionOptions
  | keyof DecompressOptions
  | keyof AuthenticateOptions
  | keyof EmitOptions
  | keyof MessageTypeGateOptions
  | keyof ProblemOptions;

/** Every word of a node's options: the compiler holds this list to the type. */
const EVERY: Record<keyof WebhookNodeOptions, true> = {
  anonymous: true,
  auditor: true,
  auditSink: true,
  auditTimeoutMs: true,
  authenticator: true,
  codings: true,
  config: true,
  deadLetter: true,
  deduplicate: true,
  deadlineMs: true,
  diagnose: true,
  emitter: true,
  enforcement: true,
  fields: true,
  groupId: true,
  logger: true,
  loggingLevel: true,
  maxBytes: true,
  maxDepth: true,
  maxEncodedBytes: true,
  maxInFlightBytes: true,
  maxMessages: true,
  mediaTypeMismatch: true,
  mediaTypes: true,
  messageType: true,
  methods: true,
  name: true,
  onInvalid: true,
  quarantine: true,
  requirements: true,
  resolveFrom: true,
  respond: true,
  resumeInFlightBytes: true,
  source: true,
  split: true,
  status: true,
  tenant: true,
};

describe("the words of options", () => {
  it("of steps are those of their types; a node hands begin its events besides", () => {
    const same: Same<(typeof OPTION_WORDS)[number], OfSteps | "events"> = true;

    expect(same).toBe(true);
    expect(new Set(OPTION_WORDS).size).toBe(OPTION_WORDS.length);
  });

  it("of a context are those of its type", () => {
    const same: Same<(typeof CONTEXT_WORDS)[number], keyof ContextOptions> = true;

    expect(same).toBe(true);
    expect(new Set(CONTEXT_WORDS).size).toBe(CONTEXT_WORDS.length);
  });

  it("of a node are those of its type, but for context and events, which it makes itself", () => {
    const words: readonly string[] = [...OPTION_WORDS, ...CONTEXT_WORDS];
    const missing = words.filter((word) => !Object.hasOwn(EVERY, word));

    expect(missing.sort()).toEqual(["audit", "context", "events"]);
  });

  it("of a node are all told to who writes one that there is not", () => {
    const make = (): unknown =>
      createWebhookNode({ zzzzzzzzzzzz: 1, anonymous: "accept", emitter: async () => {} } as WebhookNodeOptions);

    expect(make).toThrow(
      new TypeError(
        `createWebhookNode: there is no option "zzzzzzzzzzzz". There are: ${Object.keys(EVERY).sort().join(", ")}.`,
      ),
    );
  });

  it.each(Object.keys(EVERY))("of a node may be undefined: %s", (word) => {
    const others = { anonymous: "accept", emitter: async () => {} };
    const make = (): unknown => createWebhookNode({ [word]: undefined, ...others } as WebhookNodeOptions);

    expect(make).not.toThrow();
  });
});
