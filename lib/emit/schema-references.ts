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
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"] as const;

/** What identifiers are resolved against where a schema has none of its own. */
const BASE = "schema:/";

type Place = { readonly base: string; readonly here: SchemaObject[]; readonly below: SchemaObject[] };

/**
 * Checks the references of a schema. Returns the places that refer to others if some lead back to themselves, one level
 * down in the payload: what is done there is to be counted, for two such places in one level double with each.
 *
 * @throws TypeError for a reference that leads out of the schema, to nothing, or nowhere but to itself.
 */
export function followReferences(root: SchemaObject): readonly SchemaObject[] {
  const places = new Map<SchemaObject, Place>();
  const resources = new Map<string, SchemaObject>([[BASE, root]]);
  const anchors = new Map<string, SchemaObject>();
  walk(root, BASE);

  const referring: SchemaObject[] = [];
  // The map grows while it is gone through: a reference may lead to where no keyword has led.
  for (const [schema, { base, here }] of places) {
    for (const keyword of REFERENCES) {
      const reference = schema[keyword];
      if (typeof reference !== "string") continue;
      const { target, uri } = resolve(reference, base);
      referring.push(schema);
      if (typeof target !== "object" || target === null) continue;
      walk(target as SchemaObject, uri);
      here.push(target as SchemaObject);
    }
  }
  if (hasCircle(places, ({ here }) => here)) {
    throw new TypeError("it refers to itself for one and the same value, so that no payload would ever be checked.");
  }
  return hasCircle(places, ({ here, below }) => [...here, ...below]) ? referring : [];

  function walk(schema: SchemaObject, outer: string): void {
    if (places.has(schema)) return;
    const base = identify(schema, outer);
    const place: Place = { base, here: [], below: [] };
    places.set(schema, place);
    for (const keyword of [...HERE, ...BELOW, ...NOWHERE]) {
      for (const sub of subschemas(schema[keyword], NAMED.has(keyword))) {
        if (HERE.includes(keyword)) place.here.push(sub);
        if (BELOW.includes(keyword)) place.below.push(sub);
        walk(sub, base);
      }
    }
  }

  function identify(schema: SchemaObject, outer: string): string {
    const { $id, $anchor, $dynamicAnchor } = schema;
    let base = outer;
    if (typeof $id === "string") {
      const [uri = "", fragment = ""] = absolute($id, outer);
      // Draft-07 section 8.2.3: an identifier that is a fragment names a place, and is no base.
      if (fragment !== "") anchors.set(`${uri}#${fragment}`, schema);
      if (!$id.startsWith("#")) resources.set((base = uri), schema);
    }
    for (const anchor of [$anchor, $dynamicAnchor]) {
      if (typeof anchor === "string") anchors.set(`${base}#${anchor}`, schema);
    }
    return base;
  }

  function resolve(reference: string, base: string): { readonly target: unknown; readonly uri: string } {
    const [uri = "", fragment = ""] = absolute(reference, base);
    const resource = resources.get(uri);
    if (!resource) {
      throw new TypeError(
        `it refers to ${JSON.stringify(reference)}, which it does not hold, and nothing is fetched: put that schema under $defs, with its $id.`,
      );
    }
    const target = fragment === "" ? resource : (anchors.get(`${uri}#${fragment}`) ?? pointed(resource, fragment));
    if (target === undefined) throw new TypeError(`it refers to ${JSON.stringify(reference)}, where nothing is.`);
    return { target, uri };
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

/** Where a JSON Pointer leads (RFC 6901), written as a URI fragment. */
function pointed(resource: SchemaObject, fragment: string): unknown {
  if (!fragment.startsWith("/")) return undefined;
  let value: unknown = resource;
  for (const token of fragment.slice(1).split("/")) {
    const name = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as SchemaObject)[name];
  }
  return value;
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

function* subschemas(value: unknown, isNamed: boolean): Generator<SchemaObject> {
  if (typeof value !== "object" || value === null) return;
  const candidates: unknown[] = isNamed || Array.isArray(value) ? Object.values(value) : [value];
  for (const one of candidates) {
    if (typeof one === "object" && one !== null && !Array.isArray(one)) yield one as SchemaObject;
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
