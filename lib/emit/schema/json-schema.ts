/**
 * Compiles a JSON Schema, draft-07 or 2020-12, while the server starts.
 *
 * @module
 */
import type { ErrorObject, ValidateFunction } from "ajv";
import {
  DRAFT_07,
  DRAFT_2020_12,
  errorsByMetaSchema,
  newEngine,
  STEP,
  Steps,
  TooManySteps,
  type Draft,
} from "./engine";
import { jsonSchemaIssue } from "./json-schema-issue";
import { firstIssues, issueOf, type Validation } from "./issue";
import { followReferences, type SchemaObject } from "./references";
import { shown } from "../../request/options";

/** A JSON Schema: draft-07 if its `$schema` says so, else 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export type JsonSchemaOptions = {
  /**
   * How the schema's regular expressions are matched: `"linear"` in time linear in the text, without lookaheads and
   * backreferences; `"native"` by JavaScript's own engine, which some expressions keep busy for hours over a few dozen
   * characters.
   *
   * @defaultValue `"linear"`
   */
  readonly patterns?: "linear" | "native" | undefined;
};

/** A mebibyte holds half a million values at most; a schema that refers to itself may need more than one look at each. */
const MAX_STEPS = 1_000_000;
/** Values up to which a payload is gone through once more, for all that is wrong with it instead of the first thing. */
const MAX_EXPLAINED_VALUES = 10_000;

/**
 * Compiles a schema. Unknown keywords and formats are errors, nothing is fetched, and nothing of a payload is changed: no
 * defaults, no coercion.
 *
 * @throws TypeError at start, with what is wrong with it.
 */
export function jsonSchemaValidate(
  schema: JsonSchema,
  { patterns = "linear" }: JsonSchemaOptions = {},
): (payload: unknown) => Validation {
  const { own, draft } = readSchema(schema);
  for (const place of followReferences(own)) place[STEP] = true;
  const steps = new Steps();
  const compile = (allErrors: boolean): ValidateFunction =>
    newEngine({ draft, steps, allErrors, patterns }).compile(own);
  const isValid = compile(false);
  const explain = compile(true);

  return function validate(payload) {
    try {
      const errors = errorsOf(isValid, payload, steps);
      return errors
        ? { issues: firstIssues(all(errors, payload).filter(isTelling), jsonSchemaIssue) }
        : { value: payload };
    } catch (cause) {
      if (!isEndless(cause)) throw cause;
      return { issues: [issueOf([], `must be simpler: checking it takes more than ${MAX_STEPS} steps`)], cause };
    }
  };

  function all(first: readonly ErrorObject[], payload: unknown): readonly ErrorObject[] {
    if (isLargerThan(MAX_EXPLAINED_VALUES, payload)) return first;
    try {
      return errorsOf(explain, payload, steps) ?? first;
    } catch (error) {
      if (isEndless(error)) return first;
      throw error;
    }
  }
}

function errorsOf(validate: ValidateFunction, payload: unknown, steps: Steps): readonly ErrorObject[] | undefined {
  steps.left = MAX_STEPS;
  return validate(payload) ? undefined : (validate.errors ?? []);
}

/** Of a name that is wrong, the error before this one says why. */
function isTelling({ keyword }: ErrorObject): boolean {
  return keyword !== "propertyNames";
}

/** Out of steps, or out of stack: that is the payload's doing, not a fault of ours. */
function isEndless(error: unknown): boolean {
  return error instanceof TooManySteps || error instanceof RangeError;
}

/** A copy, so that changing the object later changes nothing, and its draft. */
function readSchema(schema: JsonSchema): { readonly own: SchemaObject; readonly draft: Draft } {
  const { $schema, ...own } = JSON.parse(JSON.stringify(schema)) as SchemaObject;
  const uri = typeof $schema === "string" ? $schema.replace(/#$/, "") : $schema;
  if (uri !== undefined && uri !== DRAFT_07 && uri !== DRAFT_2020_12) {
    throw new TypeError(`its $schema is ${shown($schema)}: there are ${DRAFT_07} and ${DRAFT_2020_12}.`);
  }
  if (own["$async"] !== undefined) throw new TypeError("it has the keyword $async, which no draft has.");
  const draft = uri ?? DRAFT_2020_12;
  const errors = errorsByMetaSchema(own, draft);
  if (!errors) return { own, draft };
  const found = errors.slice(0, 3).map(({ instancePath, message }) => `#${instancePath} ${message}`);
  const read = uri === undefined ? `${draft} (it has no $schema)` : draft;
  throw new TypeError(`it is no JSON Schema by ${read}: ${found.join(", ")}.`);
}

/** Whether a value is made of more than so many values. It stops counting there. */
function isLargerThan(count: number, value: unknown): boolean {
  const open = [value];
  for (let seen = 0; open.length > 0;) {
    if (++seen > count) return true;
    const next = open.pop();
    if (typeof next !== "object" || next === null) continue;
    const members = Object.values(next) as unknown[];
    if (seen + open.length + members.length > count) return true;
    open.push(...members);
  }
  return false;
}
