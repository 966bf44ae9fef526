/**
 * The audit record of a message. Pure.
 *
 * @module
 */
import type { Message } from "../message";

/** A value that a field of a record can have. */
export type AuditValue = string | number | boolean | null;

/** What an auditor says of a message: flat, for a record is one row. */
export type AuditAttributes = {
  readonly [attribute: string]: AuditValue | bigint | Date | undefined;
};

/** Says what the record of a message is to hold besides its standard fields. */
export type Auditor<Payload = unknown> = {
  // As a method, an auditor of one payload can stand in a list of auditors of any.
  audit(message: Message<Payload>): AuditAttributes | undefined | Promise<AuditAttributes | undefined>;
}["audit"];

/** The standard fields of a record, and the auditor's, each with the name of the message type before its own. */
export type AuditRecord = {
  /** When the message was audited. ISO 8601. */
  readonly datetime: string;
  readonly message_type: string;
  readonly node: string;
  /** The tracking ids of what the message was split from. Absent where it was not. */
  readonly prev_tracking_ids?: readonly string[];
  /** Absent where the node has no tenant. */
  readonly tenant?: string;
  readonly tracking_id: string;
} & { readonly [attribute: string]: AuditValue | readonly string[] | undefined };

/** Makes the standard fields of a record, now. */
export function standardFields(
  { messageType, node, previousTrackingIds, trackingId }: Message,
  tenant?: string,
): AuditRecord {
  return {
    datetime: new Date().toISOString(),
    message_type: messageType,
    node,
    ...(previousTrackingIds && { prev_tracking_ids: previousTrackingIds }),
    ...(tenant !== undefined && { tenant }),
    tracking_id: trackingId,
  };
}

/** A field's name that any query language takes: spaces and punctuation are `_`, each. */
function fieldName(name: string): string {
  return name.replace(/[\s\p{P}\p{S}]/gu, "_");
}

const UNFIT = Symbol("not flat");

function flat(value: unknown): AuditValue | undefined | typeof UNFIT {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return String(value);
    default:
      if (value === null) return null;
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : UNFIT;
  }
}

/**
 * Makes a record of its standard fields and of what an auditor says. What is not flat is left out, and what has the name of
 * a field that is there; `leaveOut` is told of it.
 */
export function auditRecord(
  standard: AuditRecord,
  attributes: AuditAttributes | undefined,
  leaveOut: (name: string, why: string) => void,
): AuditRecord {
  const fields = new Map<string, AuditRecord[string]>(Object.entries(standard));
  for (const [attribute, given] of Object.entries(attributes ?? {})) {
    const name = fieldName(`${standard.message_type}_${attribute}`);
    const value = flat(given);
    if (value === UNFIT) leaveOut(name, "it is not flat");
    else if (fields.has(name)) leaveOut(name, "there is one already");
    else if (value !== undefined) fields.set(name, value);
  }
  return Object.freeze(Object.fromEntries(fields)) as AuditRecord;
}
