/**
 * What messages are typed by: a name, the media types that it covers, a schema, and what audits say of it.
 *
 * @module
 */
import { parseContentType } from "../request/content-type";
import { isSystemName, nameProblem } from "../request/library-name";
import { nearest } from "../request/nearest";
import { shown } from "../request/options";
import type { Auditor } from "./audit-record";
import type { PayloadOf } from "./payload-of";
import type { JsonSchema, JsonSchemaOptions, StandardSchemaV1 } from "./schema";

/** A type of messages. All but its name is optional. */
export type MessageType<Payload = unknown> = JsonSchemaOptions & {
  /** 3 to 80 characters of `A-Z a-z 0-9 _ . : / = + - @` and space. Those that begin with `echo.` are the system's. */
  readonly name: string;
  readonly description?: string | undefined;
  /**
   * The media types of its messages. `application/json` covers all that is JSON; without any, so does the type.
   */
  readonly mediaTypes?: readonly string[] | undefined;
  /**
   * What a payload is held against: a JSON Schema (draft-07 or 2020-12), or a Standard Schema such as zod's, whose output is
   * the payload of the message. `body` and `octets` stay as received.
   */
  readonly schema?: JsonSchema | StandardSchemaV1<unknown, Payload> | undefined;
  /** Says what the audit record of a message is to hold besides its standard members. It can neither fail nor delay it. */
  readonly auditor?: Auditor<Payload> | undefined;
  /** A message of this type, as text. It is held against the schema at start. */
  readonly sampleMessage?: string | undefined;
  /** Packages that schema and auditor need, such as `["pg@>=8.11"]`. */
  readonly requirements?: readonly string[] | undefined;
  /** A text in Markdown for whoever uses the type. */
  readonly readme?: string | undefined;
};

const WORDS = [
  "auditor",
  "description",
  "mediaTypes",
  "name",
  "patterns",
  "readme",
  "requirements",
  "sampleMessage",
  "schema",
];

/**
 * Names a message type's payload by its schema: a JSON Schema is read as it is written. The value is the one that is
 * passed in; nothing is checked before a library or a node takes it.
 */
export function defineMessageType<const Schema extends JsonSchema | StandardSchemaV1 = JsonSchema>(
  type: Omit<MessageType<PayloadOf<Schema>>, "schema"> & { readonly schema?: Schema | undefined },
): MessageType<PayloadOf<Schema>> {
  return type;
}

/** Why a type is none. */
export function problemsOf(type: MessageType): string[] {
  if (typeof type !== "object" || type === null) return [`${shown(type)} is no message type`];
  const { name, mediaTypes, auditor, requirements, patterns } = type;
  const why = nameProblem(name);
  if (why !== undefined && !isSystemName(name)) return [`${shown(name)}: ${why}`];
  const problems: string[] = why === undefined ? [] : [why];
  for (const word of Object.keys(type)) {
    if (WORDS.includes(word)) continue;
    const near = nearest(word, WORDS);
    problems.push(`there is no ${shown(word)} in a message type${near ? `; did you mean ${near}` : ""}`);
  }
  for (const word of ["description", "sampleMessage", "readme"] as const) {
    if (type[word] !== undefined && typeof type[word] !== "string") problems.push(`${word} is not a text`);
  }
  if (
    mediaTypes !== undefined &&
    !(isListOfText(mediaTypes) && mediaTypes.length > 0 && mediaTypes.every(isMediaType))
  ) {
    problems.push('mediaTypes is not a list of media types, such as ["application/fhir+json"]');
  }
  if (requirements !== undefined && !isListOfText(requirements)) problems.push("requirements is not a list of texts");
  if (auditor !== undefined && typeof auditor !== "function") problems.push("auditor is not a function");
  if (patterns !== undefined && patterns !== "linear" && patterns !== "native") {
    problems.push('patterns is neither "linear" nor "native"');
  }
  return problems.map((problem) => `${shown(name)}: ${problem}`);
}

function isListOfText(list: unknown): list is readonly string[] {
  return Array.isArray(list) && list.every((one) => typeof one === "string");
}

function isMediaType(mediaType: string): boolean {
  return parseContentType(mediaType) !== undefined;
}
