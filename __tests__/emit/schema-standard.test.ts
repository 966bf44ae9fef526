import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import * as mini from "zod/mini";
import { compileSchema, type StandardSchemaV1, type Validation } from "express-webhook-node/emit/schema";

const SECRET = "<b>S3CRET</b>";

function validation(schema: StandardSchemaV1, payload: unknown): Validation {
  return compileSchema(schema)(payload) as Validation;
}

/** Where and why, as lines. */
function breaks(schema: StandardSchemaV1, payload: unknown): string[] {
  return (validation(schema, payload).issues ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`);
}

/** One schema, in the words of four libraries: each is held to the same. */
const ORDERS: [string, StandardSchemaV1][] = [
  [
    "zod",
    z.strictObject({
      id: z.int(),
      state: z.enum(["new", "paid"]),
      mail: z.email(),
      lines: z.array(z.object({ sku: z.string().min(3) })),
      total: z.number().positive(),
      note: z.union([z.string(), z.null()]).optional(),
    }),
  ],
  [
    "zod/mini",
    mini.strictObject({
      id: mini.int(),
      state: mini.enum(["new", "paid"]),
      mail: mini.email(),
      lines: mini.array(mini.object({ sku: mini.string().check(mini.minLength(3)) })),
      total: mini.number().check(mini.positive()),
      note: mini.optional(mini.union([mini.string(), mini.null()])),
    }),
  ],
  [
    "valibot",
    v.strictObject({
      id: v.pipe(v.number(), v.integer()),
      state: v.picklist(["new", "paid"]),
      mail: v.pipe(v.string(), v.email()),
      lines: v.array(v.object({ sku: v.pipe(v.string(), v.minLength(3)) })),
      total: v.pipe(v.number(), v.gtValue(0)),
      note: v.optional(v.nullable(v.string())),
    }),
  ],
  [
    "ArkType",
    type({
      "+": "reject",
      id: "number.integer",
      state: "'new' | 'paid'",
      mail: "string.email",
      lines: type({ sku: "string >= 3" }).array(),
      total: "number > 0",
      "note?": "string | null",
    }),
  ],
];

describe.each(ORDERS)("a Standard Schema of %s", (_, order) => {
  const good = { id: 1, state: "new", mail: "a@example.com", lines: [{ sku: "abc" }], total: 5 };

  it("lets through what it describes [H2]", () => {
    expect(validation(order, good)).toEqual({ value: good });
  });

  it.each<[string, object, RegExp]>([
    ["a value of another type", { id: SECRET }, /^#\/id must be (?:number|int|a number)$/],
    ["a value that is not on the list", { state: SECRET }, /^#\/state must be .*"new".*"paid"/],
    ["a text of another format", { mail: SECRET }, /^#\/mail must (?:have the format|be) .*email/],
    ["a text that is too short", { lines: [{ sku: "abc" }, { sku: "a" }] }, /^#\/lines\/1\/sku must .*3/],
    ["a number that is too small", { total: -5_555 }, /^#\/total must be (?:more than 0|>0|positive)$/],
    ["a value of neither type", { note: { deep: SECRET } }, /^#\/note must be /],
    ["a member that is missing", { lines: undefined }, /^#\/lines must be /],
    ["a member too many", { extra: SECRET }, /^#(?:\/extra must not be present| must have no other members)$/],
  ])("says where and why it does not: %s [H2]", (__, change, line) => {
    const payload: unknown = JSON.parse(JSON.stringify({ ...good, ...change }));
    const found = breaks(order, payload);
    expect(found).toEqual([expect.stringMatching(line)]);
    expect(found.join()).not.toMatch(/S3CRET|5555|deep/);
  });

  it("says nothing of the values in a payload that is wrong in all", () => {
    const all = { id: SECRET, state: SECRET, mail: SECRET, lines: [SECRET, { sku: 0 }], total: SECRET, note: [SECRET] };
    const { issues = [] } = validation(order, { ...all, extra: SECRET });
    expect(issues.length).toBeGreaterThanOrEqual(6);
    expect(JSON.stringify(issues)).not.toContain("S3CRET");
  });

  it("leaves the library's own words to logs", () => {
    const found = validation(order, { ...good, id: SECRET }) as { cause?: unknown };
    expect(found.cause).toHaveLength(1);
  });

  it("tells at most 50 breaks", () => {
    expect(breaks(order, { ...good, lines: Array(5000).fill(0) })).toHaveLength(50);
  });
});

describe("a Standard Schema that transforms", () => {
  it.each<[string, StandardSchemaV1]>([
    ["zod", z.object({ at: z.iso.datetime().transform((at) => new Date(at)), n: z.coerce.number().default(7) })],
    [
      "valibot",
      v.object({
        at: v.pipe(
          v.string(),
          v.transform((at) => new Date(at)),
        ),
        n: v.optional(v.number(), 7),
      }),
    ],
    ["ArkType", type({ at: "string.date.iso.parse", n: "number = 7" })],
  ])("puts out another value: %s", (_, schema) => {
    const payload = { at: "2026-01-31T12:00:00.000Z" };
    expect(validation(schema, payload)).toEqual({ value: { at: new Date(Date.UTC(2026, 0, 31, 12)), n: 7 } });
  });
});

describe("a Standard Schema's own checks", () => {
  it.each<[string, StandardSchemaV1]>([
    ["zod", z.string().refine(() => false, { error: ({ input }) => `no ${String(input)}` })],
    [
      "zod",
      z
        .string()
        .check((context) => void context.issues.push({ code: "custom", input: context.value, message: context.value })),
    ],
    [
      "valibot",
      v.pipe(
        v.string(),
        v.check(
          () => false,
          ({ input }) => `no ${input}`,
        ),
      ),
    ],
    [
      "valibot",
      v.pipe(
        v.string(),
        v.rawCheck(({ addIssue, dataset }) => addIssue({ message: "", expected: String(dataset.value) })),
      ),
    ],
    ["valibot", v.custom<string>(() => false)],
    ["ArkType", type("string").narrow((value, context) => context.reject(`no ${value}`))],
    ["ArkType", type("string.json.parse")],
    [
      "ArkType",
      type("string")
        .narrow((value, context) => context.mustBe(`no ${value}`))
        .or("number"),
    ],
  ])("may say what they like, and none of it is told: %s", (_, schema) => {
    const [line, ...more] = breaks(schema, SECRET);
    expect(line).toMatch(/^# must (?:pass a check of the schema's own|be as the schema has it)$/);
    expect(more).toEqual([]);
  });
});

describe("what a Standard Schema expected", () => {
  it.each<[string, StandardSchemaV1, unknown, string]>([
    ["zod", z.literal(["a", 1]), SECRET, '# must be one of "a", 1'],
    ["zod", z.literal("a"), SECRET, '# must be "a"'],
    ["zod", z.string().regex(/^a$/), SECRET, "# must match /^a$/"],
    ["zod", z.string().max(3), SECRET, "# must have at most 3 characters"],
    ["zod", z.array(z.string()).min(2), [], "# must have at least 2 items"],
    ["zod", z.number().lt(2), 2, "# must be less than 2"],
    ["zod", z.number().multipleOf(2), 3, "# must be a multiple of 2"],
    ["zod", z.record(z.string().max(2), z.string()), { [SECRET.slice(0, 3)]: "" }, "#/%3Cb%3E must have another name"],
    [
      "zod",
      z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b") })]),
      { k: SECRET },
      '#/k must be one of "a", "b"',
    ],
    ["zod", z.union([z.string(), z.boolean()]), 5, "# must be of one of several kinds"],
    ["zod", z.never(), 5, "# must not be present"],
    [
      "valibot",
      v.variant("k", [v.object({ k: v.literal("a") }), v.object({ k: v.literal("b") })]),
      { k: SECRET },
      '#/k must be ("a" | "b")',
    ],
    ["valibot", v.pipe(v.string(), v.isoTimestamp()), SECRET, "# must have the format iso_timestamp"],
    ["valibot", v.pipe(v.string(), v.regex(/^a$/)), SECRET, "# must be /^a$/"],
    ["ArkType", type("'a' | 'b'"), SECRET, '# must be "a" or must be "b"'],
    ["ArkType", type("string > 3 & /^a/"), "Z", "# must be matched by ^a and must be at least length 4"],
  ])("is told by the schema's own words: %s", (_, schema, payload, line) => {
    const found = breaks(schema, payload);
    expect(found).toEqual([line]);
    expect(found.join()).not.toContain("S3CRET");
  });
});

describe("a Standard Schema of another library", () => {
  const other = (validate: StandardSchemaV1["~standard"]["validate"]): StandardSchemaV1 => ({
    "~standard": { version: 1, vendor: "other", validate },
  });

  it("says where, but none of its messages", () => {
    const schema = other((value) => ({ issues: [{ message: `no ${String(value)}`, path: ["a", { key: 0 }, "b/c"] }] }));
    expect(breaks(schema, SECRET)).toEqual(["#/a/0/b~1c must be as the schema has it"]);
  });

  it("may need time", async () => {
    const schema = other(async (value) => (value === 1 ? { value: 2 } : { issues: [{ message: "no" }] }));
    const validate = compileSchema(schema);
    await expect(validate(1)).resolves.toEqual({ value: 2 });
    await expect(validate(2)).resolves.toMatchObject({ issues: [{ pointer: "#" }] });
  });

  it("is left its own failures", async () => {
    const thrown = compileSchema(
      other(() => {
        throw new Error("own");
      }),
    );
    expect(() => thrown(1)).toThrow("own");
    await expect(compileSchema(other(() => Promise.reject(new Error("own"))))(1)).rejects.toThrow("own");
  });

  it("takes no option of JSON Schema", () => {
    expect(() => compileSchema(z.string(), { patterns: "linear" })).toThrow(/^patterns: /);
  });
});
