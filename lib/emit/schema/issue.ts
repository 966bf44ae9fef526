/**
 * What a schema says of a payload: where it is not as it should be, and what was expected there. No value of the payload
 * is ever part of it.
 *
 * @module
 */

/** One break of a schema. */
export type SchemaIssue = {
  /** Where in the payload: a JSON Pointer as a URI fragment, such as `#/lines/0/sku` (RFC 6901 section 6, RFC 9457 section 3). */
  readonly pointer: string;
  /** What was expected there. It is told by the schema alone. */
  readonly detail: string;
};

/** What comes of holding a payload against a schema: its value, which a schema may have changed, or what is wrong with it. */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | {
      readonly issues: readonly SchemaIssue[];
      /** What the schema's own library says, values included: for logs, never for the sender. */
      readonly cause?: unknown;
    };

export type Validate = (payload: unknown) => Validation | Promise<Validation>;

/** Issues that are told of one payload: of a mebibyte of `[0,0,...` each item is one. */
const MAX_ISSUES = 50;
/** Errors looked at for that: a schema that refers to itself can find the same one thousands of times. */
const MAX_FOUND = 1000;
const MAX_POINTER = 256;
const MAX_DETAIL = 300;

/** Makes the pointer to where a path of member names and indexes leads; to its last ancestor that has a short one. */
export function pointerOf(path: readonly PropertyKey[]): string {
  let pointer = "#";
  for (const name of path) {
    const next = `${pointer}/${token(String(name))}`;
    if (next.length > MAX_POINTER) break;
    pointer = next;
  }
  return pointer;
}

// RFC 6901 sections 3 and 6. JSON may hold a lone surrogate, which no URI can.
function token(name: string): string {
  // A name that does not fit is cut before it costs anything: it may be as long as the body.
  if (name.length > MAX_POINTER) return name.slice(0, MAX_POINTER).replace(/[^]/g, "x") + "x";
  const escaped = name
    .replaceAll("~", "~0")
    .replaceAll("/", "~1")
    .replace(/\p{Surrogate}/gu, "\uFFFD");
  return encodeURI(escaped).replaceAll("#", "%23").replaceAll("?", "%3F");
}

/** Makes an issue of a path and of what was expected there. */
export function issueOf(path: readonly PropertyKey[], detail: string): SchemaIssue {
  return {
    pointer: pointerOf(path),
    detail: detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL - 1)}…` : detail,
  };
}

/** The first issues of a list, each once. */
export function firstIssues<Found>(found: readonly Found[], toIssue: (one: Found) => SchemaIssue): SchemaIssue[] {
  const issues = new Map<string, SchemaIssue>();
  for (const one of found.slice(0, MAX_FOUND)) {
    const issue = toIssue(one);
    issues.set(`${issue.pointer} ${issue.detail}`, issue);
    if (issues.size === MAX_ISSUES) break;
  }
  return [...issues.values()];
}

/** Values that a schema allows, as they are written in JSON. */
export function oneOf(values: readonly unknown[]): string {
  const written = values.map((value) => (typeof value === "bigint" ? `${value}` : JSON.stringify(value)));
  return written.length === 1 ? `must be ${written[0]}` : `must be one of ${written.join(", ")}`;
}
