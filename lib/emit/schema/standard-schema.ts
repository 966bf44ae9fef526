/**
 * Holds a payload against a Standard Schema (https://standardschema.dev, version 1): zod's, valibot's, ArkType's and others.
 *
 * @module
 */
import { isThenable } from "../../request/thenable";
import { firstIssues, issueOf, oneOf, type Validate, type Validation } from "./issue";

/** The interface by which schema libraries let themselves be used by others. */
export type StandardSchemaV1<Input = unknown, Output = Input> = {
  readonly "~standard": {
    readonly version: 1;
    /** The library's name. */
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Types alone: it is not there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
};

type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

type StandardIssue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};

export function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  const standard = (schema as Partial<StandardSchemaV1> | null | undefined)?.["~standard"];
  return standard?.version === 1 && typeof standard.validate === "function";
}

/** The value that comes out is the payload of the message: such a schema may transform. */
export function standardValidate({ "~standard": standard }: StandardSchemaV1): Validate {
  return function validate(payload) {
    const result = standard.validate(payload);
    return isThenable(result) ? result.then(validationOf) : validationOf(result);
  };

  function validationOf(result: StandardResult<unknown>): Validation {
    if (!result.issues) return { value: result.value };
    const issues = firstIssues(result.issues, (issue) => issueOf(pathOf(issue), detailOf(standard.vendor, issue)));
    return { issues, cause: result.issues };
  }
}

function pathOf({ path = [] }: StandardIssue): PropertyKey[] {
  return Array.from(path, (step) => (typeof step === "object" ? step.key : step));
}

const UNKNOWN = "must be as the schema has it";
const OWN_CHECK = "must pass a check of the schema's own";

/** What a library's issues are made of besides their message. None of it is trusted to be there. */
type Members = Readonly<Record<string, unknown>>;

/**
 * What was expected, from those members of an issue that are the schema's own. Messages are passed over: valibot's and
 * ArkType's hold the value that was found, and so may those of an app's own checks.
 */
function detailOf(vendor: string, issue: StandardIssue): string {
  return VENDORS.get(vendor)?.(issue) ?? UNKNOWN;
}

const VENDORS = new Map<string, (issue: Members) => string | undefined>([
  ["zod", zodDetail],
  ["valibot", valibotDetail],
  ["arktype", arktypeDetail],
]);

/** https://zod.dev/packages/core#issue-types */
function zodDetail(issue: Members): string | undefined {
  switch (issue["code"]) {
    case "invalid_type":
      return mustBe(issue["expected"]);
    case "invalid_value":
      return Array.isArray(issue["values"]) ? oneOf(issue["values"]) : undefined;
    case "invalid_format":
      return issue["format"] === "regex" ? `must match ${String(issue["pattern"])}` : format(issue["format"]);
    case "too_small":
      return size(issue["inclusive"] === false ? "more than" : "at least", issue["minimum"], issue["origin"]);
    case "too_big":
      return size(issue["inclusive"] === false ? "less than" : "at most", issue["maximum"], issue["origin"]);
    case "not_multiple_of":
      return `must be a multiple of ${String(issue["divisor"])}`;
    case "unrecognized_keys":
      return "must have no other members";
    case "invalid_key":
      return "must have another name";
    case "invalid_union":
      return Array.isArray(issue["options"]) ? oneOf(issue["options"]) : "must be of one of several kinds";
    case "custom":
      return OWN_CHECK;
  }
  return undefined;
}

/** https://valibot.dev/guides/issues: `expected` is the schema's; where there is none, `type` is the name of the check. */
function valibotDetail({ kind, type, expected }: Members): string | undefined {
  if (typeof type !== "string" || VALIBOT_OWN.has(type)) return OWN_CHECK;
  return kind === "validation" && expected === null ? format(type) : mustBe(expected);
}

const VALIBOT_OWN = new Set(["check", "custom", "partial_check", "raw_check", "raw_transform"]);

/** https://arktype.io/docs/configuration#errors. A predicate says what the app's own function has put there. */
function arktypeDetail({ code, expected, errors }: Members): string | undefined {
  if (expected === "removed") return mustBe("never");
  if (code === "predicate") return UNKNOWN;
  // Their own `expected` holds the value that was found.
  if (code === "union" || code === "intersection") {
    const branches = Array.isArray(errors) ? (errors as Members[]).map(arktypeDetail) : [];
    if (branches.length === 0 || branches.includes(UNKNOWN) || branches.includes(undefined)) return UNKNOWN;
    return [...new Set(branches)].join(code === "union" ? " or " : " and ");
  }
  return mustBe(expected);
}

function mustBe(expected: unknown): string | undefined {
  if (expected === "never") return "must not be present";
  return typeof expected === "string" ? `must be ${expected}` : undefined;
}

function format(name: unknown): string | undefined {
  return typeof name === "string" ? `must have the format ${name}` : undefined;
}

const UNITS: Readonly<Record<string, string>> = { string: "characters", array: "items", set: "items" };

function size(bound: string, limit: unknown, origin: unknown): string {
  const unit = UNITS[String(origin)];
  return unit ? `must have ${bound} ${String(limit)} ${unit}` : `must be ${bound} ${String(limit)}`;
}
