/**
 * ajv, set up for schemas that an app trusts and payloads that it does not.
 *
 * @module
 */
import type * as AjvModule from "ajv";
import type * as Ajv2020Module from "ajv/dist/2020";
import type { Ajv, KeywordDefinition, Options } from "ajv";
import { jsonFormats } from "./formats";
import { linearPattern, type Pattern } from "./linear-pattern";
import { isUnique } from "./unique-items";

export const DRAFT_07 = "http://json-schema.org/draft-07/schema";
export const DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema";
export type Draft = typeof DRAFT_07 | typeof DRAFT_2020_12;

/** The keyword that counts: `true` where a schema refers to another. */
export const STEP = "$webhook-step";

/** What one payload may cost, in a schema that refers to itself. */
export class Steps {
  left = 0;

  /** Counts a reference, and the errors that it has led to, which ajv copies. @throws TooManySteps if none is left. */
  readonly take = (errors: number): void => {
    this.left -= 1 + errors;
    if (this.left < 0) throw new TooManySteps();
  };
}

export class TooManySteps extends Error {}

const OPTIONS: Options = {
  allowMatchingProperties: true,
  allowUnionTypes: true,
  logger: false,
  // A meta-schema takes ten milliseconds to compile: one for all has seen the schema before.
  meta: false,
  validateSchema: false,
  // In binary fractions, 19.99 is no multiple of 0.01.
  multipleOfPrecision: 6,
  // "constructor" is a member of every object, but not of this payload.
  ownProperties: true,
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
};

const UNIQUE_ITEMS: KeywordDefinition = {
  keyword: "uniqueItems",
  type: "array",
  schemaType: "boolean",
  errors: false,
  error: { message: "must NOT have duplicate items" },
  validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || isUnique(items),
};

export type EngineOptions = {
  readonly draft: Draft;
  readonly steps: Steps;
  readonly allErrors: boolean;
  readonly patterns: "linear" | "native";
};

/** A new engine. Schemas of two message types never meet in one, so their identifiers do not clash. */
export function newEngine({ draft, steps, allErrors, patterns }: EngineOptions): Ajv {
  const { _, Name } = require("ajv") as typeof AjvModule;
  const ajv = newAjv(draft, {
    ...OPTIONS,
    allErrors,
    formats: jsonFormats(),
    ...(patterns === "linear" && { code: { regExp: linear } }),
  });
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword(UNIQUE_ITEMS);
  ajv.addKeyword({
    keyword: STEP,
    before: "$ref",
    code: ({ gen }) => void gen.code(_`${gen.scopeValue("func", { ref: steps.take })}(${new Name("errors")})`),
  });
  return ajv;
}

const linear = Object.assign((pattern: string): Pattern => linearPattern(pattern), { code: "linearPattern" });

const metaSchemas = new Map<Draft, Ajv>();

/** What the draft's meta-schema finds wrong with a schema. */
export function errorsByMetaSchema(schema: object, draft: Draft): Ajv["errors"] {
  let ajv = metaSchemas.get(draft);
  if (!ajv) metaSchemas.set(draft, (ajv = newAjv(draft, { logger: false, strict: false, validateFormats: false })));
  return ajv.validateSchema(schema) === true ? null : ajv.errors;
}

// Loaded with the first schema: it takes as long as all the rest of the package.
function newAjv(draft: Draft, options: Options): Ajv {
  if (draft === DRAFT_07) {
    const { Ajv } = require("ajv") as typeof AjvModule;
    return new Ajv(options);
  }
  const { Ajv2020 } = require("ajv/dist/2020") as typeof Ajv2020Module;
  return new Ajv2020(options);
}
