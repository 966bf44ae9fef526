/**
 * One audit record for each message, made once its sender has been answered: it can neither fail nor delay the answer.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Message } from "../message";
import { checkLogger, consoleLogger, type Logger } from "../request/logger";
import { checkFunction, checkOptions, positiveInteger, shown, text } from "../request/options";
import { auditRecord, standardFields, type AuditAttributes, type Auditor, type AuditRecord } from "./audit-record";

export type { AuditAttributes, Auditor, AuditRecord, AuditValue } from "./audit-record";

/** Keeps a record. A promise tells when it is safe; nobody but the trail waits for it. */
export type AuditSink = (record: AuditRecord) => unknown;

export type AuditTrailOptions = {
  /** The auditor of the message type. Without it, records have the standard fields. */
  readonly auditor?: Auditor | undefined;
  /** Where records go besides `events`. */
  readonly sink?: AuditSink | undefined;
  /** Emits each record as `audit`. */
  readonly events?: EventEmitter | undefined;
  /** @defaultValue `console`, for warnings and errors */
  readonly logger?: Logger | undefined;
  /** The name of the tenant. */
  readonly tenant?: string | undefined;
  /**
   * How long the auditor may take over one message, in milliseconds. The record is without its attributes then.
   *
   * @defaultValue `1_000`
   */
  readonly timeoutMs?: number | undefined;
};

/** Audits a message: it returns at once, and never throws. */
export type AuditTrail = ((message: Message) => void) & {
  /** Resolves once all that was audited so far has been kept, or has failed to be. */
  settled: () => Promise<void>;
};

const WORDS = ["auditor", "sink", "events", "logger", "tenant", "timeoutMs"];

/** Records under way: a sink that settles none is not to fill the memory. */
const MAX_UNDER_WAY = 10_000;
/** Octets of messages that auditors may hold at once. */
const MAX_HELD_BYTES = 67_108_864;
/** Attributes of which it is said that they are left out. */
const MAX_SAID = 100;

/**
 * Creates the trail of a node. What auditor, sink and listeners do wrong is logged, and changes nothing else.
 *
 * @throws TypeError at start, for a wrong option.
 */
export function auditTrail(options: AuditTrailOptions = {}): AuditTrail {
  checkOptions("auditTrail", options, WORDS);
  const { auditor, sink, events, tenant } = options;
  if (auditor !== undefined) checkFunction("auditor", auditor);
  if (sink !== undefined && typeof sink !== "function") {
    throw new TypeError(`auditSink: ${shown(sink)} is not a function, such as jsonLinesFile({ path }).`);
  }
  if (tenant !== undefined) text("tenant", tenant);
  const timeoutMs = positiveInteger("auditTimeoutMs", options.timeoutMs ?? 1000);
  const log = quiet(checkLogger(options.logger ?? consoleLogger));
  const underWay = new Set<Promise<void>>();
  const lost = spell();
  const bare = spell();
  const said = new Set<string>();
  let heldBytes = 0;

  function audit(message: Message): void {
    if (!sink && !events?.listenerCount("audit")) return;
    if (underWay.size >= MAX_UNDER_WAY) {
      lost.begin(() => log(message, `${MAX_UNDER_WAY} audit records are under way; more are lost`));
      return;
    }
    const running = run(message).catch((error: unknown) => log(message, "an audit has failed", error));
    underWay.add(running);
    void running.finally(() => underWay.delete(running));
  }

  async function run(message: Message): Promise<void> {
    const standard = standardFields(message, tenant);
    const asked = auditor && hasRoom(message) ? auditor : undefined;
    // The answer goes first, and whatever else this turn has to do.
    await nextTurn();
    const attributes = asked && (await attributesOf(message, asked));
    const record = auditRecord(standard, attributes, (name, why) => leaveOut(message, name, why));
    try {
      events?.emit("audit", record);
    } catch (error) {
      log(message, "a listener of audit records has thrown", error);
    }
    try {
      await sink?.(record);
      lost.end((count) => log(message, `audit records are kept again; ${count} were lost`));
    } catch (error) {
      lost.begin(() => log(message, "audit records are being lost", error));
    }
  }

  function hasRoom(message: Message): boolean {
    const bytes = message.octets.length;
    if (heldBytes + bytes > MAX_HELD_BYTES) {
      bare.begin(() => log(message, "the auditor is too slow; audit records are without its attributes"));
      return false;
    }
    heldBytes += bytes;
    return true;
  }

  async function attributesOf(message: Message, auditor: Auditor): Promise<AuditAttributes | undefined> {
    try {
      const attributes = await within(timeoutMs, auditor(message));
      if (attributes !== undefined && !isObject(attributes)) throw new TypeError(`It returned ${shown(attributes)}.`);
      bare.end((count) => log(message, `the auditor works again; ${count} records were without its attributes`));
      return attributes;
    } catch (error) {
      bare.begin(() => log(message, "the auditor has failed; audit records are without its attributes", error));
      return undefined;
    } finally {
      heldBytes -= message.octets.length;
    }
  }

  function leaveOut(message: Message, name: string, why: string): void {
    if (said.size >= MAX_SAID || said.has(name)) return;
    said.add(name);
    log(message, `the auditor's ${name} is left out: ${why}`);
  }

  return Object.assign(audit, {
    settled: async () => {
      await Promise.all(underWay);
    },
  });
}

/** What happens again and again is told when it begins, and when it has ended. */
function spell(): { begin(tell: () => void): void; end(tell: (count: number) => void): void } {
  let count = 0;
  return {
    begin(tell) {
      if (count++ === 0) tell();
    },
    end(tell) {
      if (count === 0) return;
      const counted = count;
      count = 0;
      tell(counted);
    },
  };
}

/** A logger that cannot fail an audit either. */
function quiet(logger: Logger): (message: Message, line: string, error?: unknown) => void {
  return function log({ node }, line, ...error) {
    try {
      logger.error(`webhook ${node}: ${line}`, ...error);
    } catch {
      // There is nobody left to tell.
    }
  };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function within<T>(ms: number, work: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It had not settled after ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
