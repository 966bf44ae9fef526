/**
 * Holds payloads against the schema of their message type.
 *
 * @module
 */
import { WebhookError, type ErrorDetail } from "../errors";
import type { DeliveryRecord } from "../request/delivery";
import { logError } from "../request/logger";
import type { Validate, Validation } from "./schema/issue";

/** A payload that was held against its schema: its value, and what is wrong with it. */
export type Validated = { readonly payload: unknown; readonly schemaIssues?: readonly ErrorDetail[] };

/**
 * Holds each payload of a delivery against its schema. Where what is invalid is refused, one such item refuses the whole
 * delivery: emitting a part of it would double that part when it is sent again.
 *
 * @throws WebhookError `ERR_WEBHOOK_SCHEMA` for what is invalid, unless it is to be emitted.
 */
export async function validateAll(
  payloads: readonly unknown[],
  validate: Validate,
  record: DeliveryRecord,
  { isSplit, isEmitted }: { readonly isSplit: boolean; readonly isEmitted: boolean },
): Promise<readonly Validated[]> {
  const all: Validated[] = [];
  const errors: ErrorDetail[] = [];
  const causes: unknown[] = [];
  for (const [index, payload] of payloads.entries()) {
    const { value, issues, cause } = await outcomeOf(payload, validate, record, isEmitted);
    all.push(issues ? { payload, schemaIssues: issues } : { payload: value });
    for (const { pointer, detail } of issues ?? []) {
      errors.push({ pointer: isSplit ? `#/${index}${pointer.slice(1)}` : pointer, detail });
    }
    if (cause !== undefined) causes.push(cause);
  }
  if (isEmitted || errors.length === 0) return all;
  throw new WebhookError("ERR_WEBHOOK_SCHEMA", "The payload does not have the form of its message type.", {
    errors: errors.slice(0, MAX_ERRORS),
    advice: `It breaks the schema at ${errors
      .slice(0, 3)
      .map(({ pointer, detail }) => `${pointer} (${detail})`)
      .join(", ")}.`,
    ...(causes.length > 0 && { cause: causes[0] }),
  });
}

/** Breaks that are told of one delivery. */
const MAX_ERRORS = 50;

type Checked = {
  readonly value?: unknown;
  readonly issues?: readonly ErrorDetail[] | undefined;
  readonly cause?: unknown;
};

async function outcomeOf(
  payload: unknown,
  validate: Validate,
  { lifetime, surroundings }: DeliveryRecord,
  isEmitted: boolean,
): Promise<Checked> {
  try {
    const validation: Validation | Promise<Validation> = validate(payload);
    return "then" in validation ? await lifetime.race(validation) : validation;
  } catch (error) {
    if (!isEmitted || lifetime.over) throw error;
    // Drift of a schema is not to cost deliveries, and a schema that fails is no better.
    logError(surroundings.logger, `webhook ${surroundings.name}: a schema has failed`, error);
    return { issues: [{ pointer: "#", detail: "the schema could not be applied" }] };
  }
}
