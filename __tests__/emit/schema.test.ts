import { compileSchema, type JsonSchema, type SchemaIssue, type Validation } from "express-webhook-node/emit/schema";
import { HTTPException } from "express-webhook-node";
import { send, serveNode } from "../support/serve";

const DRAFT_07 = "http://json-schema.org/draft-07/schema#";
const CONDITION = JSON.parse('{"if":{"type":"string"},"then":{"minLength":1},"else":true}') as JsonSchema;
const DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema";

function validation(schema: object, payload: unknown): Validation {
  return compileSchema(schema as never)(payload) as Validation;
}

function issues(schema: object, payload: unknown): readonly SchemaIssue[] | undefined {
  return validation(schema, payload).issues;
}

describe("compileSchema", () => {
  it("returns the payload's own value where the schema lets it through [H2]", () => {
    const payload = { id: 1 };
    const schema = { type: "object", properties: { id: { type: "integer", default: 5 }, n: { default: 1 } } };
    const found = validation(schema, payload);
    expect(found.issues).toBeUndefined();
    expect((found as { value: unknown }).value).toBe(payload);
    expect(payload).toEqual({ id: 1 });
  });

  it("coerces nothing", () => {
    expect(issues({ type: "integer" }, "1")).toEqual([{ pointer: "#", detail: "must be integer" }]);
  });

  it("tells each break with where and why, and no value of the payload [H2]", () => {
    const schema = {
      type: "object",
      required: ["id", "constructor"],
      properties: {
        id: { type: "integer" },
        kind: { enum: ["a", { x: 1 }] },
        fixed: { const: "k" },
        mail: { type: "string", format: "email" },
        code: { type: "string", pattern: "^[0-9]+$" },
        lines: { type: "array", items: { type: "object", required: ["sku"] } },
        names: { type: "object", propertyNames: { maxLength: 3 } },
        gone: false,
      },
      additionalProperties: false,
    };
    const payload = {
      id: "S3CRET",
      kind: "S3CRET",
      fixed: "S3CRET",
      mail: "S3CRET",
      code: "S3CRET",
      lines: [{ sku: 1 }, { other: "S3CRET" }],
      names: { long: "S3CRET" },
      gone: "S3CRET",
      extra: "S3CRET",
    };
    const found = issues(schema, payload);
    expect(new Set(found)).toEqual(
      new Set([
        { pointer: "#", detail: "must have required property 'constructor'" },
        { pointer: "#/extra", detail: "must not be present" },
        { pointer: "#/id", detail: "must be integer" },
        { pointer: "#/kind", detail: 'must be one of "a", {"x":1}' },
        { pointer: "#/fixed", detail: 'must be "k"' },
        { pointer: "#/mail", detail: 'must match format "email"' },
        { pointer: "#/code", detail: 'must match pattern "^[0-9]+$"' },
        { pointer: "#/lines/1", detail: "must have required property 'sku'" },
        { pointer: "#/names/long", detail: "the name must NOT have more than 3 characters" },
        { pointer: "#/gone", detail: "must not be present" },
      ]),
    );
    expect(JSON.stringify(found)).not.toContain("S3CRET");
  });

  it.each([
    ["~", "#/~0"],
    ["a/b", "#/a~1b"],
    ["a b", "#/a%20b"],
    ["#?%", "#/%23%3F%25"],
    ["é", "#/%C3%A9"],
    ["\ud800", "#/%EF%BF%BD"],
    ["", "#/"],
    ["__proto__", "#/__proto__"],
    ['<b>"', "#/%3Cb%3E%22"],
  ])("points to a member named %j by a JSON Pointer in a URI fragment", (name, pointer) => {
    const payload: unknown = JSON.parse(`{${JSON.stringify(name)}:1}`);
    expect(issues({ additionalProperties: { type: "string" } }, payload)).toEqual([
      { pointer, detail: "must be string" },
    ]);
  });

  it("points to an ancestor where a name is longer than a pointer should be", () => {
    const schema = { additionalProperties: { additionalProperties: { type: "string" } } };
    expect(issues(schema, { a: { ["x".repeat(100_000)]: 1 } })).toEqual([{ pointer: "#/a", detail: "must be string" }]);
  });

  it("tells at most 50 breaks of one payload, and the first alone of a very large one", () => {
    const schema = { type: "array", items: { type: "string" } };
    expect(issues(schema, Array(9000).fill(0))).toHaveLength(50);
    expect(issues(schema, Array(500_000).fill(0))).toEqual([{ pointer: "#/0", detail: "must be string" }]);
  });

  it("cuts what the schema itself would make long", () => {
    const [issue] = issues({ enum: Array.from({ length: 1000 }, (_, n) => n) }, "x") as [SchemaIssue];
    expect(issue.detail.length).toBeLessThanOrEqual(300);
    expect(issue.detail).toMatch(/^must be one of 0, 1, 2, .*…$/);
  });

  it("takes a member that every object inherits for missing", () => {
    expect(issues({ required: ["toString"] }, {})).toHaveLength(1);
    expect(issues({ required: ["__proto__"] }, {})).toHaveLength(1);
    expect(issues({ required: ["toString"] }, { toString: 1 })).toBeUndefined();
  });

  it.each([
    [19.99, 0.01, true],
    [123_456.78, 0.01, true],
    [0.3, 0.1, true],
    [19.995, 0.01, false],
    [7, 2, false],
    [1e21, 1, true],
  ])("finds that %d is a multiple of %d: %s", (payload, multipleOf, isValid) => {
    expect(issues({ multipleOf }, payload) === undefined).toBe(isValid);
  });

  it("refuses a number that is too large to be one", () => {
    expect(issues({ type: "number" }, JSON.parse("1e999"))).toEqual([{ pointer: "#", detail: "must be number" }]);
  });

  it("does not change with the object that it was made of", () => {
    const schema = { type: "string" };
    const validate = compileSchema(schema);
    schema.type = "number";
    expect(validate("a")).toEqual({ value: "a" });
  });

  it("keeps schemas with one $id apart", () => {
    const first = compileSchema({ $id: "https://example.com/order", type: "string" });
    const second = compileSchema({ $id: "https://example.com/order", type: "number" });
    expect(first("a")).toEqual({ value: "a" });
    expect(second(1)).toEqual({ value: 1 });
    expect(first(1)).toMatchObject({ issues: [{ detail: "must be string" }] });
  });
});

describe("a JSON Schema's draft", () => {
  const tuple = [{ type: "string" }];

  it.each([
    ["draft-07", { $schema: DRAFT_07, items: tuple }],
    ["draft-07 without its empty fragment", { $schema: DRAFT_07.slice(0, -1), items: tuple }],
    ["2020-12", { $schema: DRAFT_2020_12, prefixItems: tuple }],
    ["2020-12 where there is no $schema", { prefixItems: tuple }],
  ])("is %s", (_, schema) => {
    expect(issues(schema, ["a"])).toBeUndefined();
    expect(issues(schema, [1])).toEqual([{ pointer: "#/0", detail: "must be string" }]);
  });

  it.each([
    "http://json-schema.org/draft-04/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://example.com/mine",
    7,
  ])("is not %s", ($schema) => {
    expect(() => compileSchema({ $schema })).toThrow(/^schema: its \$schema is .*draft-07.*2020-12/);
  });

  // The keywords of JSON Schema validation, draft-07 sections 6 to 10 and 2020-12 (core, validation), less those of formats.
  it.each([
    [
      DRAFT_07,
      {
        $id: "https://example.com/all-07",
        $comment: "c",
        title: "t",
        description: "d",
        default: 1,
        examples: [1],
        readOnly: true,
        writeOnly: false,
        definitions: { a: { type: "string" } },
        type: ["object", "array", "string", "number", "boolean", "null"],
        enum: [1, { a: 1 }, null],
        const: 1,
        multipleOf: 1,
        maximum: 9,
        exclusiveMaximum: 9,
        minimum: 1,
        exclusiveMinimum: 0,
        maxLength: 9,
        minLength: 0,
        pattern: "a",
        items: [{ type: "string" }],
        additionalItems: false,
        maxItems: 9,
        minItems: 0,
        uniqueItems: true,
        contains: { type: "string" },
        maxProperties: 9,
        minProperties: 0,
        required: ["a"],
        properties: { a: { $ref: "#/definitions/a" } },
        patternProperties: { "^b": { type: "string" } },
        additionalProperties: true,
        dependencies: { a: ["b"], b: { required: ["c"] } },
        propertyNames: { maxLength: 9 },
        ...CONDITION,
        allOf: [true],
        anyOf: [true],
        oneOf: [true],
        not: { const: 2 },
        format: "uri",
        contentEncoding: "base64",
        contentMediaType: "application/json",
      },
    ],
    [
      DRAFT_2020_12,
      {
        $id: "https://example.com/all-2020",
        $anchor: "here",
        $comment: "c",
        $defs: { a: { $anchor: "a", type: "string" }, b: { $dynamicAnchor: "b", type: "string" } },
        deprecated: true,
        prefixItems: [{ $ref: "#a" }, { $dynamicRef: "#b" }],
        items: { type: "string" },
        contains: { type: "string" },
        minContains: 1,
        maxContains: 9,
        dependentRequired: { a: ["b"] },
        dependentSchemas: { b: { required: ["c"] } },
        unevaluatedItems: false,
        unevaluatedProperties: false,
        contentSchema: { type: "string" },
      },
    ],
  ])("has all its keywords: %s", ($schema, keywords) => {
    expect(compileSchema({ $schema, ...keywords })).toBeInstanceOf(Function);
  });
});

describe("a schema at start", () => {
  it.each<[string, unknown, RegExp]>([
    ["is neither kind", 5, /^schema: 5 is neither a JSON Schema nor a Standard Schema/],
    ["is a list", [], /^schema: an array is neither/],
    ["is a function", () => true, /^schema: a function is neither/],
    ["has an unknown keyword", { typ: "string" }, /unknown keyword: "typ"/],
    ["has an unknown format", { type: "string", format: "phone" }, /unknown format "phone"/],
    ["has an unknown type", { type: "strin" }, /no JSON Schema.*#\/type must be equal to one of the allowed values/],
    ["is of the other draft", { items: [{}] }, /it has no \$schema.*#\/items must be object,boolean/],
    ["has a condition without consequence", { if: { type: "string" } }, /"if" without "then" and "else"/],
    ["would be asynchronous", { $async: true, type: "string" }, /\$async/],
    ["has a pattern that is none", { type: "string", pattern: "(" }, /pattern "\(" is no regular expression/],
    ["has a member name that is no pattern", { patternProperties: { "[": {} } }, /"\[" is no regular expression/],
  ])("is refused if it %s", (_, schema, message) => {
    expect(() => compileSchema(schema as never)).toThrow(TypeError);
    expect(() => compileSchema(schema as never)).toThrow(message);
  });

  it("is refused if it is circular", () => {
    const schema: { properties?: object } = {};
    schema.properties = { a: schema };
    expect(() => compileSchema(schema)).toThrow(/^schema: .*circular/);
  });

  it("is refused if it is nested without end", () => {
    let schema: object = {};
    for (let depth = 0; depth < 20_000; depth++) schema = { items: schema };
    expect(() => compileSchema(schema as never)).toThrow(TypeError);
  });
});

describe("a schema over HTTP", () => {
  it("refuses a delivery without a word of it [H2]", async () => {
    const validate = compileSchema({ type: "object", properties: { id: { type: "integer" } } });
    const { port, messages } = await serveNode({
      authenticator: async ({ body }) => {
        const { issues: errors } = await validate(await body.json());
        if (errors) throw new HTTPException(422, { detail: { errors } });
        return null;
      },
      anonymous: "accept",
    });
    const refused = await send(port, { body: '{"id":"<b>S3CRET</b>"}' });
    expect(refused.status).toBe(422);
    expect(refused.json).toEqual({ detail: { errors: [{ pointer: "#/id", detail: "must be integer" }] } });
    expect((await send(port, { body: '{"id":1}' })).status).toBe(200);
    expect(messages).toHaveLength(1);
  });
});
