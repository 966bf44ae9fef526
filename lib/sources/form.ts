/**
 * JSON inside a field of a form (`application/x-www-form-urlencoded`), which a few providers send if told to.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { DEFAULT_LIMITS } from "../request/body";
import { isDeeperThan } from "../request/depth";
import type { SourceTraits } from "../request/source";

/** The media type of forms. */
export const FORM = "application/x-www-form-urlencoded";

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
    if (isDeeperThan(Buffer.from(json), DEFAULT_LIMITS.maxDepth)) {
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
  const form = new URLSearchParams(text);
  // Entries, not assignments: a field may be called __proto__.
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name);
      return [name, values.length === 1 ? (values[0] as string) : values];
    }),
  );
}
