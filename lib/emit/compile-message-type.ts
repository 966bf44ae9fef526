/**
 * Makes a message type ready for messages, while the server starts.
 *
 * @module
 */
import { isJsonMediaType, parseContentType } from "../request/content-type";
import { nearest } from "../request/nearest";
import { shown } from "../request/options";
import type { Auditor } from "./audit-record";
import { problemsOf, type MessageType } from "./message-type";
import { isSystemType, systemTypes, type MessageTypeLibrary } from "./message-types";
import { compileSchema, type Validate } from "./schema";

/** A message type, ready for messages. */
export type CompiledMessageType = {
  readonly name: string;
  /** Whether a request with this media type (lower case, without parameters) is of this type. */
  readonly covers: (mediaType: string | undefined) => boolean;
  /** Absent where the type has no schema. */
  readonly validate?: Validate;
  readonly auditor?: Auditor;
  readonly requirements: readonly string[];
};

export type CompileOptions = {
  /** Where names are looked up. Without one, there are the system's. */
  readonly library?: MessageTypeLibrary | undefined;
  /** Media types that are JSON although their names do not say so: those that the node lets in besides. */
  readonly mediaTypes?: readonly string[] | undefined;
};

/** Types that cannot change any more, compiled once for all nodes. */
const validates = new WeakMap<MessageType, Validate>();

/**
 * Makes a message type ready: finds it by its name, compiles its schema, and holds its sample message against it.
 *
 * @throws TypeError at start, for a name that is not known, a type that is none, a schema that cannot be used, and a type
 * that no webhook has, for a webhook is JSON.
 */
export function compileMessageType(
  type: string | MessageType | CompiledMessageType,
  { library = systemTypes, mediaTypes = [] }: CompileOptions = {},
): CompiledMessageType {
  if (isCompiled(type)) return type;
  const found = typeof type === "string" ? named(type, library) : checked(type);
  const { name, auditor, requirements = [] } = found;
  const covered = new Set(found.mediaTypes?.map(mediaTypeOf));
  const isGeneric = found.mediaTypes === undefined || covered.has("application/json") || covered.has("text/plain");
  if (!isGeneric && ![...covered].some((one) => isJsonMediaType(one) || mediaTypes.includes(one))) {
    throw new TypeError(
      `messageType: ${shown(name)} is not JSON (${[...covered].join(", ")}), and a webhook is: choose a type that covers JSON, such as echo.json.`,
    );
  }
  const validate = validateOf(found);

  return {
    name,
    covers: (mediaType) => isGeneric || (mediaType !== undefined && covered.has(mediaType)),
    ...(validate && { validate }),
    ...(auditor && { auditor }),
    requirements,
  };
}

function isCompiled(type: string | MessageType | CompiledMessageType): type is CompiledMessageType {
  return typeof (type as Partial<CompiledMessageType> | null)?.covers === "function";
}

function named(name: string, library: MessageTypeLibrary): MessageType {
  const type = library.get(name);
  if (type) return type;
  const names = library.list().map((one) => one.name);
  const near = nearest(name, names);
  throw new TypeError(
    `messageType: there is no type ${shown(name)}.` +
      (near ? ` Did you mean ${near}?` : ` Pass it as { name: ${shown(name)} }, or put it into the library.`),
  );
}

function checked(type: MessageType): MessageType {
  if (isSystemType(type)) return type;
  const [problem] = problemsOf(type);
  if (problem === undefined) return type;
  throw new TypeError(`messageType: ${problem}.`);
}

function validateOf(type: MessageType): Validate | undefined {
  const { name, schema, patterns, sampleMessage } = type;
  if (schema === undefined) return undefined;
  let validate = validates.get(type);
  if (validate) return validate;
  try {
    validate = compileSchema(schema, { patterns });
    if (sampleMessage !== undefined) holdSample(sampleMessage, validate);
  } catch (cause) {
    throw new TypeError(`messageType ${shown(name)}: ${(cause as Error).message}`, { cause });
  }
  if (Object.isFrozen(type)) validates.set(type, validate);
  return validate;
}

/** Where a schema needs time for it, the sample is not waited for. */
function holdSample(sampleMessage: string, validate: Validate): void {
  let payload: unknown;
  try {
    payload = JSON.parse(sampleMessage);
  } catch (cause) {
    throw new TypeError("sampleMessage: it is not JSON.", { cause });
  }
  const validation = validate(payload);
  if ("then" in validation) validation.catch(() => {});
  else if (validation.issues) {
    const breaks = validation.issues.map(({ pointer, detail }) => `${pointer} ${detail}`);
    throw new TypeError(`sampleMessage: by its own schema, ${breaks.join(", ")}.`);
  }
}

function mediaTypeOf(mediaType: string): string {
  return parseContentType(mediaType)?.mediaType as string;
}
