/**
 * The formats of JSON Schema, from ajv-formats, for texts that are no longer than such a format can be.
 *
 * @module
 */
import type { Format } from "ajv";
import type { FormatName, FormatsPlugin } from "ajv-formats";

/** Not "url": it is no format of JSON Schema, and takes seconds over 100 KB of `http://[1:1:1:...`. */
const NAMES: readonly FormatName[] = [
  "byte",
  "date",
  "date-time",
  "double",
  "duration",
  "email",
  "float",
  "hostname",
  "int32",
  "int64",
  "ipv4",
  "ipv6",
  "iso-date-time",
  "iso-time",
  "json-pointer",
  "json-pointer-uri-fragment",
  "password",
  "regex",
  "relative-json-pointer",
  "time",
  "uri",
  "uri-reference",
  "uri-template",
  "uuid",
];

/** Formats whose texts may be as long as a body. Their expressions have been tried on the worst that is known. */
const LONG: ReadonlySet<string> = new Set(["byte", "password", "uri", "uri-reference"]);
const MAX_CHARACTERS = 4096;

let formats: Record<string, Format> | undefined;

/** The formats by their names, loaded with the first schema. */
export function jsonFormats(): Record<string, Format> {
  return (formats ??= Object.fromEntries(NAMES.map((name) => [name, formatOf(name)])));
}

function formatOf(name: FormatName): Format {
  const plugin = require("ajv-formats") as { readonly default: FormatsPlugin };
  const format = plugin.default.get(name);
  if (LONG.has(name) || typeof format === "boolean") return format;
  if (typeof format === "object" && "type" in format && format.type === "number") return format;
  const isOfFormat = checkOf(format);
  return (text: string) => text.length <= MAX_CHARACTERS && isOfFormat(text);
}

function checkOf(format: Format): (text: string) => boolean {
  if (typeof format === "function") return format;
  const { test, validate } = format as { test?: unknown; validate?: Format };
  if (typeof test === "function") return (text) => (format as RegExp).test(text);
  return checkOf(validate as Format);
}
