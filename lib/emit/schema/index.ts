/**
 * Compiles a schema of either kind into one function: a JSON Schema, or a Standard Schema such as zod's.
 *
 * @module
 */
import { shown } from "../../request/options";
import type * as jsonSchemas from "./json-schema";
import type { JsonSchema, JsonSchemaOptions } from "./json-schema";
import type { Validate } from "./issue";
import { isStandardSchema, standardValidate, type StandardSchemaV1 } from "./standard-schema";

export type { JsonSchema, JsonSchemaOptions } from "./json-schema";
export type { SchemaIssue, Validate, Validation } from "./issue";
export type { StandardSchemaV1 } from "./standard-schema";

/**
 * Compiles a schema, once. The function returns the payload's value, or what is wrong with it; a Standard Schema may need
 * time for that (a promise), and may make another value of it.
 *
 * @throws TypeError at start, for a schema that is none, or whose use could not be bounded.
 */
export function compileSchema(schema: JsonSchema | StandardSchemaV1, options: JsonSchemaOptions = {}): Validate {
  if (isStandardSchema(schema)) {
    if (options.patterns === undefined) return standardValidate(schema);
    throw new TypeError("patterns: it is for JSON Schema; a Standard Schema matches its patterns itself.");
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new TypeError(`schema: ${shown(schema)} is neither a JSON Schema nor a Standard Schema.`);
  }
  const { jsonSchemaValidate } = require("./json-schema") as typeof jsonSchemas;
  try {
    return jsonSchemaValidate(schema, options);
  } catch (cause) {
    throw new TypeError(`schema: ${(cause as Error).message}`, { cause });
  }
}
