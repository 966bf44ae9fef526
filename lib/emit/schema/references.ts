/**
 * Follows the references of a JSON Schema while the server starts: each must lead to a place in the schema itself, and
 * none may lead back to its own place without having gone a step down in the payload.
 *
 * @module
 */

/** A schema, once it is known to be an object. */
export type SchemaObject = { [keyword: string]: unknown };

// JSON Schema draft-07 and 2020-12, by where their subschemas apply: to the same value, or to one below it.
const HERE = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
const BELOW = [
  "additionalItems",
  "additionalProperties",
  "contains",
  "items",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const NOWHERE = ["$defs", "definitions"];
const NAMED = new Set(["$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties"]);

/** What identifiers are resolved against where a schema has none of its own. */
const BASE = "schema:/";

/** A subschema: its own URI, where it is in the whole, and the subschemas that apply to the same value and below it. */
type Place = {
  readonly base: string;
  readonly pointer: string;
  readonly here: SchemaObject[];
  readonly below: SchemaObject[];
};

type Target = { readonly value: unknown; readonly pointer: string; readonly base: string };

/**
 * Follows the references of a schema, and writes each as the JSON Pointer that it comes to; identifiers and anchors have no
 * use any more then, and go. Returns the places that refer to others if some lead back to themselves, a level below in the
 * payload: what is done there is to be counted, for two such places in one level double with each.
 *
 * @throws TypeError for a reference that leads out of the schema, to nothing, or nowhere but to itself.
 */
export function followReferences(root: SchemaObject): readonly SchemaObject[] {
  const places = new Map<SchemaObject, Place>();
  const names = new Map<string, SchemaObject>([[BASE, root]]);
  const dynamic: string[] = [];
  let isDynamic = false;
  walk(root, BASE, "");

  const referring: SchemaObject[] = [];
  // The map grows while it is gone through: a reference may lead to where no keyword has led.
  for (const [schema, { base, here }] of places) {
    const { $ref } = schema;
    if (typeof $ref !== "string") continue;
    const { value, pointer, base: outer } = resolve($ref, base);
    schema["$ref"] = `#${pointer}`;
    referring.push(schema);
    if (typeof value !== "object" || value === null) continue;
    walk(value as SchemaObject, outer, pointer);
    here.push(value as SchemaObject);
  }
  if (isDynamic && new Set(dynamic).size < dynamic.length) {
    throw new TypeError("it has a $dynamicAnchor more than once, so that what a $dynamicRef means would be in doubt.");
  }
  if (hasCircle(places, ({ here }) => here)) {
    throw new TypeError("it refers to itself for one and the same value, so that no payload would ever be checked.");
  }
  return hasCircle(places, ({ here, below }) => [...here, ...below]) ? referring : [];

  function walk(schema: SchemaObject, outer: string, pointer: string): void {
    if (places.has(schema)) return;
    fixDynamic(schema);
    const base = identify(schema, outer);
    const place: Place = { base, pointer, here: [], below: [] };
    places.set(schema, place);
    for (const keyword of [...HERE, ...BELOW, ...NOWHERE]) {
      for (const [suffix, sub] of subschemas(keyword, schema[keyword])) {
        if (HERE.includes(keyword)) place.here.push(sub);
        if (BELOW.includes(keyword)) place.below.push(sub);
        walk(sub, base, pointer + suffix);
      }
    }
  }

  /** Where each dynamic anchor is there once, a dynamic reference is a plain one. */
  function fixDynamic(schema: SchemaObject): void {
    const { $dynamicRef, $recursiveRef, allOf } = schema;
    if ($recursiveRef !== undefined)
      throw new TypeError("it has the keyword $recursiveRef, which is of draft 2019-09.");
    if (typeof $dynamicRef !== "string") return;
    isDynamic = true;
    delete schema["$dynamicRef"];
    schema["allOf"] = [...(Array.isArray(allOf) ? (allOf as unknown[]) : []), { $ref: $dynamicRef }];
  }

  function identify(schema: SchemaObject, outer: string): string {
    const { $id, $anchor, $dynamicAnchor } = schema;
    let base = outer;
    if (typeof $id === "string") {
      const [uri = "", fragment = ""] = absolute($id, outer);
      // Draft-07 section 8.2.3: an identifier that is a fragment names a place, and is no base.
      if (fragment !== "") name(`${uri}#${fragment}`, schema);
      else name((base = uri), schema);
    }
    if (typeof $anchor === "string") name(`${base}#${$anchor}`, schema);
    if (typeof $dynamicAnchor === "string") {
      name(`${base}#${$dynamicAnchor}`, schema);
      dynamic.push($dynamicAnchor);
    }
    for (const keyword of ["$id", "$anchor", "$dynamicAnchor"]) delete schema[keyword];
    return base;
  }

  function name(uri: string, schema: SchemaObject): void {
    if ((names.get(uri) ?? schema) !== schema) throw new TypeError(`it has two places named ${JSON.stringify(uri)}.`);
    names.set(uri, schema);
  }

  function resolve(reference: string, base: string): Target {
    const [uri = "", fragment = ""] = absolute(reference, base);
    const resource = names.get(uri);
    if (!resource) {
      throw new TypeError(
        `it refers to ${JSON.stringify(reference)}, which it does not hold, and nothing is fetched: put that schema under $defs, with its $id.`,
      );
    }
    const named = fragment === "" ? resource : names.get(`${uri}#${fragment}`);
    const target = named ? { value: named, ...(places.get(named) as Place) } : pointed(resource, fragment, uri);
    if (target) return target;
    throw new TypeError(`it refers to ${JSON.stringify(reference)}, where nothing is.`);
  }

  /** Where a JSON Pointer leads (RFC 6901), written as a URI fragment. */
  function pointed(resource: SchemaObject, fragment: string, base: string): Target | undefined {
    if (!fragment.startsWith("/")) return undefined;
    let value: unknown = resource;
    let { pointer } = places.get(resource) as Place;
    for (const token of fragment.slice(1).split("/")) {
      const member = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, member)) return undefined;
      value = (value as SchemaObject)[member];
      pointer += step(member);
    }
    return { value, pointer, base };
  }
}

/** The URI without its fragment, and the fragment. */
function absolute(reference: string, base: string): readonly string[] {
  try {
    return new URL(reference, base).href.split("#");
  } catch (cause) {
    throw new TypeError(`it refers to ${JSON.stringify(reference)}, which is no reference by URI.`, { cause });
  }
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

/** One step of a JSON Pointer in a URI fragment. */
function step(member: string): string {
  return `/${encodeURIComponent(member.replaceAll("~", "~0").replaceAll("/", "~1"))}`;
}

function* subschemas(keyword: string, value: unknown): Generator<readonly [suffix: string, schema: SchemaObject]> {
  if (typeof value !== "object" || value === null) return;
  if (!NAMED.has(keyword) && !Array.isArray(value)) {
    yield [`/${keyword}`, value as SchemaObject];
    return;
  }
  for (const [member, one] of Object.entries(value as SchemaObject)) {
    if (typeof one !== "object" || one === null || Array.isArray(one)) continue;
    yield [`/${keyword}${step(member)}`, one as SchemaObject];
  }
}

/** Whether some place leads back to itself. */
function hasCircle(places: ReadonlyMap<SchemaObject, Place>, next: (place: Place) => readonly SchemaObject[]): boolean {
  const done = new Set<SchemaObject>();
  const open = new Set<SchemaObject>();
  const leadsBack = (schema: SchemaObject): boolean => {
    if (open.has(schema)) return true;
    if (done.has(schema)) return false;
    open.add(schema);
    const isCircle = next(places.get(schema) as Place).some(leadsBack);
    open.delete(schema);
    done.add(schema);
    return isCircle;
  };
  return [...places.keys()].some(leadsBack);
}
