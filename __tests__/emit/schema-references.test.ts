import { compileSchema, type JsonSchema, type Validation } from "express-webhook-node/emit/schema";

const DRAFT_07 = "http://json-schema.org/draft-07/schema#";

function isValid(schema: JsonSchema, payload: unknown): boolean {
  return (compileSchema(schema)(payload) as Validation).issues === undefined;
}

describe("a reference in a JSON Schema", () => {
  it.each<[string, JsonSchema]>([
    ["a definition", { $ref: "#/$defs/text", $defs: { text: { type: "string" } } }],
    [
      "a definition of draft-07",
      { $schema: DRAFT_07, $ref: "#/definitions/t", definitions: { t: { type: "string" } } },
    ],
    ["a definition in a group", { $ref: "#/$defs/group/text", $defs: { group: { text: { type: "string" } } } }],
    [
      "a name with a slash, a tilde and a space",
      { $ref: "#/$defs/a~1b~0c%20d", $defs: { "a/b~c d": { type: "string" } } },
    ],
    ["an anchor", { $ref: "#text", $defs: { text: { $anchor: "text", type: "string" } } }],
    ["an anchor of draft-07", { $schema: DRAFT_07, $ref: "#t", definitions: { t: { $id: "#t", type: "string" } } }],
    ["a dynamic anchor", { $dynamicRef: "#text", $defs: { text: { $dynamicAnchor: "text", type: "string" } } }],
    [
      "a schema that is bundled by its URI",
      { $ref: "https://example.com/text", $defs: { a: { $id: "https://example.com/text", type: "string" } } },
    ],
    [
      "a schema that is bundled, relative to the root's URI",
      { $id: "https://example.com/a", $ref: "text", $defs: { a: { $id: "text", type: "string" } } },
    ],
    [
      "a place in a schema that is bundled",
      {
        $ref: "https://example.com/b#/$defs/text",
        $defs: { b: { $id: "https://example.com/b", $defs: { text: { type: "string" } } } },
      },
    ],
    [
      "an anchor at the top",
      { $anchor: "top", anyOf: [{ type: "string" }, { items: { $ref: "#top" }, type: "array" }] },
    ],
    ["a URN", { $id: "urn:example:a", $ref: "#/$defs/text", $defs: { text: { type: "string" } } }],
  ])("leads to %s", (_, schema) => {
    expect(isValid(schema, "text")).toBe(true);
    expect(isValid(schema, 5)).toBe(false);
  });

  it.each<[string, JsonSchema, string]>([
    [
      "another server",
      { $ref: "https://example.com/order.json" },
      '"https://example.com/order.json", which it does not hold',
    ],
    ["another file", { properties: { a: { $ref: "order.json#/a" } } }, '"order.json#/a", which it does not hold'],
    ["a draft's meta-schema", { items: { $ref: DRAFT_07 } }, "nothing is fetched"],
    ["nothing", { $ref: "#/$defs/no" }, '"#/$defs/no", where nothing is'],
    ["an anchor that nothing has", { $ref: "#no" }, '"#no", where nothing is'],
    ["a member that all objects inherit", { $ref: "#/constructor" }, '"#/constructor", where nothing is'],
    ["what is no URI", { $ref: "http://[" }, '"http://[", which is no reference by URI'],
  ])("is refused at start if it leads to %s", (_, schema, message) => {
    expect(() => compileSchema(schema)).toThrow(TypeError);
    expect(() => compileSchema(schema)).toThrow(message);
  });

  it.each<[string, JsonSchema]>([
    ["itself", { $ref: "#" }],
    ["itself, by way of another", { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }],
    ["itself, under allOf", { type: "object", allOf: [{ $ref: "#" }] }],
    ["itself, under anyOf", { anyOf: [{ type: "string" }, { $ref: "#" }] }],
    ["itself, under oneOf", { oneOf: [{ type: "string" }, { $ref: "#" }] }],
    ["itself, under not", { not: { $ref: "#" } }],
    ["itself, under if", { if: { $ref: "#" }, else: { type: "string" } }],
    ["itself, under then", JSON.parse('{"if":{"type":"string"},"then":{"$ref":"#"}}') as JsonSchema],
    ["itself, under else", { if: { type: "string" }, else: { $ref: "#" } }],
    ["itself, under a dependency", { dependentSchemas: { a: { $ref: "#" } } }],
    ["itself, by an anchor", { $anchor: "a", $ref: "#a" }],
    ["itself, by a dynamic anchor", { $dynamicAnchor: "a", $dynamicRef: "#a" }],
    ["itself, below", { properties: { a: { $ref: "#/properties/a" } } }],
    ["itself, where no payload would look", { $defs: { a: { $ref: "#/$defs/a" } }, type: "object" }],
  ])("is refused at start if it leads to %s, for the same value", (_, schema) => {
    expect(() => compileSchema(schema)).toThrow("it refers to itself for one and the same value");
  });

  it.each<[string, JsonSchema, unknown, unknown]>([
    ["a list in a list", { type: "array", items: { $ref: "#" } }, [[], [[]]], [[], [[0]]]],
    ["members of members", { type: "object", additionalProperties: { $ref: "#" } }, { a: { b: {} } }, { a: { b: 1 } }],
    [
      "a tree, by a dynamic anchor",
      { $dynamicAnchor: "node", type: "object", properties: { next: { $dynamicRef: "#node" } } },
      { next: { next: {} } },
      { next: { next: 0 } },
    ],
    [
      "two schemas that hold each other",
      {
        $ref: "#/$defs/a",
        $defs: {
          a: { type: "object", properties: { b: { $ref: "#/$defs/b" } } },
          b: { type: "array", items: { $ref: "#/$defs/a" } },
        },
      },
      { b: [{ b: [] }] },
      { b: [{ b: {} }] },
    ],
    ["names of members", { propertyNames: { $ref: "#" }, maxLength: 2 }, { ab: 1 }, { abc: 1 }],
  ])("may lead back to itself a level below: %s", (_, schema, good, bad) => {
    expect(isValid(schema, good)).toBe(true);
    expect(isValid(schema, bad)).toBe(false);
  });

  it.each<[string, JsonSchema, string]>([
    ["is of draft 2019-09", { items: { $recursiveRef: "#" } }, "draft 2019-09"],
    [
      "may mean two places",
      { $dynamicRef: "#a", $defs: { b: { $dynamicAnchor: "a" }, c: { $id: "c", $dynamicAnchor: "a" } } },
      "$dynamicAnchor more than once",
    ],
    ["has two places with one name", { $defs: { a: { $id: "x" }, b: { $id: "x" } } }, 'two places named "schema:/x"'],
  ])("is refused at start if it %s", (_, schema, message) => {
    expect(() => compileSchema(schema)).toThrow(message);
  });

  it("is not looked for in values", () => {
    const schema = { enum: [{ $ref: "https://example.com/" }], default: { $ref: "#" }, examples: [{ $ref: "#" }] };
    expect(isValid(schema, { $ref: "https://example.com/" })).toBe(true);
    expect(isValid({ const: { $ref: "#" } }, { $ref: "#" })).toBe(true);
  });
});
