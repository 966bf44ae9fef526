import { jsonFormats } from "express-webhook-node/emit/schema/formats";
import { compileSchema, type JsonSchema, type SchemaIssue, type Validation } from "express-webhook-node/emit/schema";

/** What a payload is found to be, and the milliseconds of the processor's time that it takes to find out. */
function held(schema: JsonSchema, payload: unknown): { readonly issues: readonly SchemaIssue[]; readonly ms: number } {
  const validate = compileSchema(schema);
  const begin = process.cpuUsage();
  const { issues = [] } = validate(payload) as Validation;
  const { user, system } = process.cpuUsage(begin);
  return { issues, ms: (user + system) / 1000 };
}

function nested(depth: number, op: string): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { left: value, op };
  return value;
}

describe("a payload made to keep a JSON Schema busy", () => {
  // Each level is looked at once for each branch: 2 ** 128 times for 128 levels, without a bound.
  const expression: JsonSchema = {
    $ref: "#/$defs/expression",
    $defs: {
      expression: {
        oneOf: [
          { type: "number" },
          {
            type: "object",
            properties: { left: { $ref: "#/$defs/expression" }, op: { const: "+" } },
            required: ["op"],
          },
          {
            type: "object",
            properties: { left: { $ref: "#/$defs/expression" }, op: { const: "-" } },
            required: ["op"],
          },
        ],
      },
    },
  };

  it.each([
    ["breaks it in each branch", "*"],
    ["fits one branch", "+"],
  ])("is refused when it is 128 levels deep in a schema that branches and refers to itself, if it %s", (_, op) => {
    const { issues, ms } = held(expression, nested(127, op));
    expect(issues).toEqual([{ pointer: "#", detail: "must be simpler: checking it takes more than 1000000 steps" }]);
    expect(ms).toBeLessThan(3000);
  });

  it("leaves such a schema its ordinary payloads", () => {
    expect(held(expression, nested(8, "+")).issues).toEqual([]);
    expect(held(expression, nested(4, "*")).issues).not.toEqual([]);
  });

  it("leaves a schema that refers to itself the largest payloads", () => {
    const tree: JsonSchema = { type: ["array", "number"], items: { $ref: "#" } };
    expect(held(tree, JSON.parse(`[${"0,".repeat(524_000)}0]`)).issues).toEqual([]);
  });

  it("is refused where its depth is more than the stack holds", () => {
    let payload: unknown = [];
    for (let level = 0; level < 100_000; level++) payload = [payload];
    const [issue] = held({ type: "array", items: { $ref: "#" } }, payload).issues;
    expect(issue?.detail).toMatch(/^must be simpler/);
  });

  it("costs no more where every branch finds an error for every item", () => {
    const schema: JsonSchema = { items: { anyOf: [{ type: "string" }, { type: "boolean" }, { const: "x" }] } };
    const { issues, ms } = held(schema, Array(500_000).fill(0));
    expect(issues).toHaveLength(4);
    expect(ms).toBeLessThan(1000);
  });

  it.each<[string, unknown[]]>([
    ["objects", Array.from({ length: 20_000 }, (_, n) => ({ n, list: [n] }))],
    ["arrays", Array.from({ length: 20_000 }, (_, n) => [n, "a"])],
    ["numbers and texts", Array.from({ length: 200_000 }, (_, n) => (n % 2 ? n : String(n)))],
  ])("is told unique in linear time: %s", (_, payload) => {
    const { issues, ms } = held({ uniqueItems: true }, payload);
    expect(issues).toEqual([]);
    expect(ms).toBeLessThan(2000);
  });

  it.each<[string, unknown[], boolean]>([
    ["1, 2, 1", [1, 2, 1], false],
    ['1, "1"', [1, "1"], true],
    ["null, false, 0, an empty text", [null, false, 0, ""], true],
    ["0 and -0", [0, -0], false],
    [
      "the same members in another order",
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      false,
    ],
    [
      "the same items in another order",
      [
        [1, 2],
        [2, 1],
      ],
      true,
    ],
    ["an object and its text", [{}, "{}"], true],
    ["an empty object and an empty array", [{}, []], true],
    ["a member that is null and none", [{ a: null }, {}], true],
    ["nested ones that differ", [{ a: { b: 1 } }, { a: { b: 2 } }], true],
    ["nested ones that do not", [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }], false],
  ])("is told unique or not: %s", (_, items, isUnique) => {
    expect(held({ uniqueItems: true }, items).issues.length === 0).toBe(isUnique);
    expect(held({ uniqueItems: false }, items).issues).toEqual([]);
  });
});

describe("a format of JSON Schema", () => {
  const LENGTH = 100_000;
  const many = (piece: string): string => piece.repeat(LENGTH / piece.length);
  const hostile = [
    many("a"),
    many("a.") + "!",
    many("a@"),
    many("a-") + ".",
    many("1"),
    many("1:"),
    many("::"),
    many("-"),
    many("%41") + " ",
    many("/~0") + "~",
    many("{a}") + "{",
    many("{a,"),
    many("(a+"),
    many("["),
    many("\n"),
    many("A") + "=!",
    "P" + many("1D"),
    "P" + many("1"),
    "a@" + many("a-") + "!",
    "http://" + many("a") + " ",
    "http://" + many("a.") + "!\n",
    "http://" + many("a@") + " ",
    "http://[" + many("1:"),
    "http://a/" + many("?#"),
    "urn:uuid:" + many("0"),
    "2020-01-01T00:00:00." + many("1") + "!",
  ];

  it.each(Object.keys(jsonFormats()))("is checked in time linear in the text: %s", (format) => {
    const validate = compileSchema({ format });
    const begin = process.cpuUsage();
    for (const text of hostile) void validate(text);
    const { user, system } = process.cpuUsage(begin);
    expect((user + system) / 1000 / hostile.length).toBeLessThan(100);
  });

  it.each([
    ["date-time", "2026-01-31T12:00:00Z", "2026-02-31T12:00:00Z"],
    ["date", "2024-02-29", "2023-02-29"],
    ["time", "12:00:00+01:00", "25:00:00Z"],
    ["duration", "P1DT12H", "1 day"],
    ["email", "a.b@example.com", "a.b@"],
    ["hostname", "example.com", "-example"],
    ["ipv4", "192.0.2.1", "192.0.2.256"],
    ["ipv6", "2001:db8::1", "2001:db8::1::"],
    ["uri", "https://example.com/?a=b#c", "/a"],
    ["uri-reference", "/a", "http://["],
    ["uri-template", "/a/{b}", "/a/{b"],
    ["uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"],
    ["json-pointer", "/a/~0", "/a/~2"],
    ["relative-json-pointer", "1/a", "/a"],
    ["regex", "^a+$", "("],
    ["byte", "YWJj", "YWJ"],
    ["int32", 1, 2 ** 31],
  ])("is %s: %j, not %j", (format, good, bad) => {
    expect(held({ format }, good).issues).toEqual([]);
    expect(held({ format }, bad).issues).toEqual([{ pointer: "#", detail: `must match format "${format}"` }]);
  });

  it("is not url, which is no format of JSON Schema", () => {
    expect(() => compileSchema({ format: "url" })).toThrow('unknown format "url"');
  });

  it("takes an address as long as a body", () => {
    expect(held({ format: "uri" }, `data:text/plain,${"a".repeat(LENGTH)}`).issues).toEqual([]);
  });
});
