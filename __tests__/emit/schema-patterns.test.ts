import * as fc from "fast-check";
import { linearPattern } from "express-webhook-node/emit/schema/linear-pattern";
import { compileSchema, type Validation } from "express-webhook-node/emit/schema";

const LENGTH = 100_000;

/** Milliseconds of the processor's time, which other processes do not add to. */
function cpuMs(work: () => unknown): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}

function isValid(pattern: string, text: string, options = {}): boolean {
  return (compileSchema({ type: "string", pattern }, options)(text) as Validation).issues === undefined;
}

describe("a pattern of a JSON Schema", () => {
  // Each keeps JavaScript's own engine busy for longer than anybody waits.
  it.each([
    ["^(a+)+$", "a".repeat(LENGTH) + "!"],
    ["^(a|a)*$", "a".repeat(LENGTH) + "!"],
    ["^(a|aa)+$", "a".repeat(LENGTH) + "!"],
    ["^(\\w+\\s?)*$", "ab ".repeat(LENGTH / 3) + "!"],
    [
      "^([a-zA-Z0-9])(([-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
      "a".repeat(LENGTH),
    ],
    ["\\s+$", " ".repeat(LENGTH) + "!"],
    ["(x+x+)+y", "x".repeat(LENGTH)],
    ["^(.*)*$", "\n".repeat(LENGTH)],
  ])("is matched in linear time: %s", (pattern, text) => {
    const matches = linearPattern(pattern);
    let isMatch: boolean | undefined;
    expect(cpuMs(() => (isMatch = matches.test(text)))).toBeLessThan(1000);
    expect(isMatch).toBe(false);
  });

  it("bounds what member names cost too", () => {
    const validate = compileSchema({ patternProperties: { "^(a+)+$": { type: "string" } } });
    expect(cpuMs(() => validate({ ["a".repeat(LENGTH) + "!"]: 1 }))).toBeLessThan(1000);
  });

  it("is told from others of the same schema", () => {
    const validate = compileSchema({
      properties: { a: { type: "string", pattern: "^a" }, b: { type: "string", pattern: "^b" } },
    });
    expect(validate({ a: "a", b: "b" })).toHaveProperty("value");
    expect(validate({ a: "b", b: "a" })).toMatchObject({ issues: [{ pointer: "#/a" }, { pointer: "#/b" }] });
  });

  it.each([
    ["a lookahead", "^(?=a)", "a lookahead"],
    ["a negative lookahead", "^(?!a)b", "a lookahead"],
    ["a backreference", "(a)\\1", "a backreference"],
    ["a named backreference", "(?<n>a)\\k<n>", "a backreference"],
    ["a thousand and one times", "a{1001}", "repeat count"],
  ])("is refused at start with %s, and says what mends it", (_, pattern, why) => {
    expect(() => compileSchema({ pattern })).toThrow(why);
    expect(() => compileSchema({ pattern })).toThrow('patterns: "native"');
  });

  it("is JavaScript's own where somebody vouches for it", () => {
    expect(isValid("^(?!a)", "b", { patterns: "native" })).toBe(true);
    expect(isValid("^(?!a)", "a", { patterns: "native" })).toBe(false);
  });

  it.each(["\\-", "a{,2}", "\\z", "\\Q", "(?P<n>a)", "\\x{41}", "\\pL", "[[:alpha:]]", "a**", "[b-a]", "\\p{No}"])(
    "is refused at start where ECMA-262 does: %s",
    (pattern) => {
      if (pattern !== "\\p{No}") expect(() => new RegExp(pattern, "u")).toThrow(SyntaxError);
      if (pattern !== "\\p{No}") expect(() => linearPattern(pattern)).toThrow("is no regular expression of ECMA-262");
      else expect(linearPattern(pattern).test("²")).toBe(true);
    },
  );

  // ECMA-262: WhiteSpace, LineTerminator, and the classes that are made of them; what RE2 reads otherwise.
  it.each([
    ["^\\s$", "\u00a0", true],
    ["^\\s$", "\ufeff", true],
    ["^\\s$", "\v", true],
    ["^[\\s]$", "\u2029", true],
    ["^\\s$", "\u200b", false],
    ["^\\S$", "\u00a0", false],
    ["^[\\S]$", "\u3000", false],
    ["^[^\\S]$", "\u3000", true],
    ["^.$", "\u2028", false],
    ["^.$", "\r", false],
    ["^.$", "😀", true],
    ["^a$", "a\n", false],
    ["^[\\b]$", "\b", true],
    ["^[[]$", "[", true],
    ["^[(?]$", "?", true],
    ["^[]$", "", false],
    ["^[^]$", "\n", true],
    ["^\\ud83d\\ude00$", "😀", true],
    ["^[\\ud83d\\ude00-\\ud83d\\ude4f]$", "😁", true],
    ["^\\u{1F600}$", "😀", true],
    ["^\\cJ\\0\\x41\\u0042$", "\n\0AB", true],
    ["^\\p{Script=Greek}+$", "αβγ", true],
    ["^\\p{gc=Lu}\\P{Lu}$", "Éé", true],
    ["(?<=a)b", "ab", true],
    ["(?<!a)b", "ab", false],
    ["^(?<year>[0-9]{4})-(?:[0-9]{2})$", "2026-01", true],
  ])("means what it means in ECMA-262: %j of %j is %s", (pattern, text, isMatch) => {
    expect(new RegExp(pattern, "u").test(text)).toBe(isMatch);
    expect(linearPattern(pattern).test(text)).toBe(isMatch);
  });

  it("agrees with JavaScript's own engine", () => {
    const characters = Array.from("abAz09-_ /[]^xs\u00a0\ufeff\v\n\r\u2028é😀\0\b٣\u200b").concat("\ud83d", "\ude00");
    const escapes =
      "\\/ \\. \\[ \\^ \\$ \\\\ \\t \\n \\v \\0 \\cA \\x41 \\u0041 \\ud83d\\ude00 \\u{1F600} \\d \\D \\w \\W \\s \\S";
    const literal = fc.constantFrom(
      ...Array.from("abA0-_ é😀/:=!<&~"),
      ...escapes.split(" "),
      "\\p{L}",
      "\\P{Lu}",
      "\\p{sc=Greek}",
    );
    const member = fc.oneof(
      literal,
      fc.constantFrom("\\b", "\\-", "[", "[:alpha:", "^", "a-z", "(", "?", ".", "{", "$"),
    );
    const set = fc
      .tuple(fc.constantFrom("", "^"), fc.array(member, { maxLength: 4 }))
      .map(([not, members]) => `[${not}${members.join("")}]`);
    const { expression } = fc.letrec<{ expression: string; term: string }>((tie) => ({
      expression: fc.array(tie("term"), { maxLength: 4 }).map((terms) => terms.join("")),
      term: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(literal, set, fc.constantFrom(".", "^", "$", "\\b")),
        fc
          .tuple(fc.oneof(literal, set), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "*?"))
          .map((parts) => parts.join("")),
        fc
          .tuple(fc.constantFrom("(", "(?:", "(?<=", "(?<!"), tie("expression"), fc.constantFrom(")", "|a)"))
          .map((parts) => parts.join("")),
      ),
    }));
    const texts = fc.array(fc.array(fc.constantFrom(...characters), { maxLength: 8 }), { minLength: 4, maxLength: 8 });

    let compared = 0;
    fc.assert(
      fc.property(expression, texts, (pattern, lists) => {
        let native: RegExp;
        try {
          native = new RegExp(pattern, "u");
        } catch {
          return;
        }
        const linear = linearPattern(pattern);
        for (const list of lists) {
          const text = list.join("");
          // V8 looks behind from within a surrogate pair too, where ECMA-262 (AdvanceStringIndex) lets no match begin.
          if (pattern.includes("(?<") && /[\ud800-\udbff][\udc00-\udfff]/.test(text)) continue;
          compared++;
          expect([pattern, text, linear.test(text)]).toEqual([pattern, text, native.test(text)]);
        }
      }),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(3000);
  });
});
