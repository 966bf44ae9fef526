import * as fc from "fast-check";
import { isDeeperThan } from "../../lib/request/depth";

/** How deep arrays and objects are nested: 0 for a string, 1 for `[]`. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Strings, keys too, of what a scan for brackets could trip over. */
const tricky = fc.string({
  unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", "a", ":", ",", "\n", "\u00e9", "\u{1f4a3}", "\u2028", "\ud800"),
  maxLength: 12,
});

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 8, depthSize: "medium" },
    tricky,
    fc.constantFrom(null, true, 0, -1.5e-7),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(tricky, tie("tree"), { maxKeys: 4 }),
  ),
}));

/** A value within so many arrays and objects. */
function wrapped(value: unknown, layers: readonly boolean[]): unknown {
  return layers.reduce<unknown>((inner, isArray) => (isArray ? ["[[", inner] : { '{"\\': "}", inner }), value);
}

/** The depth that a parser gets to in the beginning of a JSON text: octet by octet, as simply as can be. */
function depthAlong(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (isString && character === "\\") at++;
    else if (character === '"') isString = !isString;
    else if (!isString && "[{".includes(character)) deepest = Math.max(deepest, ++depth);
    else if (!isString && "]}".includes(character)) depth--;
  }
  return deepest;
}

describe("isDeeperThan [T8]", () => {
  it("tells the true depth of any JSON value", () => {
    const layers = fc.array(fc.boolean(), { maxLength: 150 });
    const indent = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(tree, layers, indent, (value, wrapping, space) => {
        const nested = wrapped(value, wrapping);
        const depth = depthOf(nested);
        const text = JSON.stringify(nested, undefined, space);
        if (depth > 0) expect(isDeeperThan(text, depth - 1)).toBe(true);
        expect(isDeeperThan(text, depth)).toBe(false);
        expect(isDeeperThan(text, depth + 1)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("is not led astray by what follows where a parser stops", () => {
    const layers = fc.array(fc.boolean(), { maxLength: 40 });
    const rubbish = fc.string({ unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", ",", ":", "1", "x", "\n") });
    fc.assert(
      fc.property(
        fc.array(tree),
        layers,
        fc.double({ min: 0, max: 1, noNaN: true }),
        rubbish,
        (values, wrapping, share, end) => {
          const text = JSON.stringify(wrapped(values, wrapping));
          const start = text.slice(0, Math.floor(share * text.length));
          const depth = depthAlong(start);
          if (depth > 0) expect(isDeeperThan(start + end, depth - 1)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["nothing", "", 0, false],
    ["a string of brackets", JSON.stringify("[".repeat(500)), 1, false],
    ["a key of brackets", JSON.stringify({ ["{".repeat(500)]: 1 }), 1, false],
    ["many, side by side", JSON.stringify(Array.from({ length: 500 }, () => [])), 2, false],
    ["an escaped quote before brackets", '["\\"[[[[", 1]', 1, false],
    ["an escaped backslash before the end of a string", '["\\\\",[[1]]]', 2, true],
    ["a run of five backslashes and a quote", '["\\\\\\\\\\"[[[["]', 1, false],
    ["a run of six backslashes and a quote", '["\\\\\\\\\\\\",[[1]]]', 2, true],
    ["a bracket written as an escape", '["\\u005b\\u005b\\u005b"]', 1, false],
    ["128 arrays", "[".repeat(128) + "]".repeat(128), 128, false],
    ["129 arrays", "[".repeat(129) + "]".repeat(129), 128, true],
    ["129 objects", '{"a":'.repeat(128) + "{}" + "}".repeat(128), 128, true],
    ["129 that never close", "[".repeat(129), 128, true],
    ["a byte order mark in front", "\uFEFF[[1]]", 1, true],
    ["a string without an end", '["[[[[[[', 1, false],
  ])("knows %s", (_, text, maxDepth, expected) => {
    expect(isDeeperThan(text, maxDepth)).toBe(expected);
  });

  const size = 1_048_576;
  it.each([
    ["open brackets", "[".repeat(size)],
    ["pairs of brackets", "[]".repeat(size / 2)],
    ["quotes", '[[["'.repeat(size / 4)],
    ["backslashes in a string", `[[["${"\\".repeat(size)}"`],
    ["escaped quotes in a string", `[[["${'\\"'.repeat(size / 2)}"`],
    ["short strings of backslashes", `[[[${'"\\\\",'.repeat(size / 5)}`],
    ["closing brackets", '["a"],'.repeat(500) + "]".repeat(size)],
    ["numbers between brackets", '["a"],'.repeat(500) + `[${"1,".repeat(size / 2)}]`],
    ["text that looks closed", '["a"],'.repeat(500) + `"${"]".repeat(size)}"`],
  ])("scans a mebibyte of %s in linear time", (_, text) => {
    const startedAt = performance.now();
    isDeeperThan(text, 2);
    isDeeperThan(text, size * 2);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
