/**
 * JSON inside a field of a form (`application/x-www-form-urlencoded`), which a few providers send if told to.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { DEFAULT_LIMITS } from "../request/body-limits";
import { isDeeperThan } from "../request/depth";
import { shown } from "../request/options";
import type { SourceAccepts, SourceTraits } from "../request/source";

/** The media type of forms. */
export const FORM = "application/x-www-form-urlencoded";

/** Reads the option `form`. @throws TypeError for anything but true and false: `"false"` must not let in forms. */
export function takesForms(form = false): boolean {
  if (typeof form === "boolean") return form;
  throw new TypeError(`form: ${shown(form)} is neither true nor false.`);
}

/** What a source accepts that takes forms if it is told to. */
export function acceptsForms(form: boolean): Pick<SourceAccepts, "mediaTypes" | "optional"> {
  return form ? { mediaTypes: [FORM] } : { optional: { [FORM]: "form: true" } };
}

/** Reads JSON in one field of a form, by the rules of JSON bodies. */
export function jsonInForm(field: string): NonNullable<SourceTraits["payloadOf"]> {
  return function payloadOf({ text }) {
    const values = new URLSearchParams(text).getAll(field);
    const [json] = values;
    if (json === undefined || values.length > 1) {
      throw new WebhookError(
        "ERR_WEBHOOK_JSON",
        `The form must have one field ${JSON.stringify(field)}, with JSON in it.`,
      );
    }
    if (isDeeperThan(json, DEFAULT_LIMITS.maxDepth)) {
      throw new WebhookError("ERR_WEBHOOK_JSON_DEPTH", `The JSON is nested deeper than ${DEFAULT_LIMITS.maxDepth}.`);
    }
    try {
      return JSON.parse(json) as unknown;
    } catch (cause) {
      throw new WebhookError("ERR_WEBHOOK_JSON", `The form's field ${JSON.stringify(field)} is not JSON.`, { cause });
    }
  };
}

/** The fields of a form as one flat object. A field that comes twice is a list. */
export function formFields({ text }: { readonly text: string }): Readonly<Record<string, string | string[]>> {
  if (text === "") throw new WebhookError("ERR_WEBHOOK_BODY_EMPTY", "The body is empty; a form was expected.");
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name);
    if (before === undefined) fields.set(name, value);
    else if (typeof before === "string") fields.set(name, [before, value]);
    else before.push(value);
  }
  // Entries, not assignments: a field may be called __proto__.
  return Object.fromEntries(fields);
}
