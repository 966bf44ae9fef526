/**
 * The type of a payload that a schema has let through. Types alone.
 *
 * It is never narrower than what the schema allows: keywords that it does not know, and schemas whose words the compiler
 * sees as mere strings (an imported JSON file), leave `unknown`.
 *
 * @module
 */
import type { StandardSchemaV1 } from "./schema/standard-schema";

/** What a Standard Schema puts out, or what a JSON Schema that is written in place (or `as const`) allows. */
export type PayloadOf<Schema> =
  Schema extends StandardSchemaV1<infer _Input, infer Output> ? Output : FromJsonSchema<Schema>;

type FromJsonSchema<Schema> = Schema extends true
  ? unknown
  : Schema extends false
    ? never
    : Schema extends { readonly const: infer Value }
      ? Value
      : Schema extends { readonly enum: readonly (infer Value)[] }
        ? Value
        : FromType<Schema> & FromAll<Schema> & FromAny<Schema, "anyOf"> & FromAny<Schema, "oneOf">;

type FromType<Schema> = Schema extends { readonly type: infer Type }
  ? | (Type extends readonly unknown[] ? OfType<Type[number], Schema> : OfType<Type, Schema>)
    | (Schema extends { readonly nullable: true } ? null : never)
  : unknown;

type OfType<Type, Schema> = string extends Type
  ? unknown
  : Type extends "string"
    ? string
    : Type extends "number" | "integer"
      ? number
      : Type extends "boolean"
        ? boolean
        : Type extends "null"
          ? null
          : Type extends "array"
            ? ArrayOf<Schema>
            : Type extends "object"
              ? ObjectOf<Schema>
              : unknown;

// A list of items holds for the first ones alone, and any number of them may be missing.
type ArrayOf<Schema> = Schema extends { readonly prefixItems: unknown }
  ? unknown[]
  : Schema extends { readonly items: infer Items }
    ? Items extends readonly unknown[]
      ? unknown[]
      : FromJsonSchema<Items>[]
    : unknown[];

type ObjectOf<Schema> = Flat<
  {
    -readonly [Name in keyof Properties<Schema> as Name extends Required<Schema> ? Name : never]: FromJsonSchema<
      Properties<Schema>[Name]
    >;
  } & {
    -readonly [Name in keyof Properties<Schema> as Name extends Required<Schema> ? never : Name]?: FromJsonSchema<
      Properties<Schema>[Name]
    >;
  } & { [Name in Exclude<Required<Schema>, keyof Properties<Schema>>]: unknown } & Others<Schema>
>;

type Properties<Schema> = Schema extends { readonly properties: infer Named } ? Named : Nothing;

type Required<Schema> = Schema extends { readonly required: readonly (infer Name)[] }
  ? string extends Name
    ? never
    : Name & string
  : never;

/** Members without a name in the schema. */
type Others<Schema> = Schema extends { readonly patternProperties: unknown }
  ? { [name: string]: unknown }
  : Schema extends { readonly additionalProperties: false }
    ? Nothing
    : Schema extends { readonly additionalProperties: infer Additional; readonly properties?: undefined }
      ? { [name: string]: FromJsonSchema<Additional> }
      : { [name: string]: unknown };

type FromAny<Schema, Keyword extends string> = Schema extends { readonly [Name in Keyword]: readonly (infer Branch)[] }
  ? FromJsonSchema<Branch>
  : unknown;

type FromAll<Schema> = Schema extends { readonly allOf: infer Branches } ? FromEach<Branches> : unknown;

type FromEach<Branches> = Branches extends readonly [infer First, ...infer Rest]
  ? FromJsonSchema<First> & FromEach<Rest>
  : unknown;

/** What an intersection leaves as it is. */
type Nothing = {};

type Flat<Members> = { [Name in keyof Members]: Members[Name] };
