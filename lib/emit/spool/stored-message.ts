/**
 * A message as it is stored, and back: whoever reads it later has what the node made, member for member.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import type { Message } from "../../message";
import { PermanentError } from "../permanent-error";

/** The parts of a stored message. */
export type StoredMessage = {
  /** All but the octets and the payload, as JSON. */
  readonly meta: Buffer;
  readonly octets: Buffer;
  /** The payload, where it is not what the body parses to: of a form, or as a schema has changed it. */
  readonly payload?: Buffer;
};

type Meta = Omit<Message, "octets" | "payload" | "body" | "receivedAt"> & {
  readonly receivedAt: string;
  /** Absent where the octets say it in UTF-8. */
  readonly body?: string;
};

/** @throws PermanentError if the payload holds what cannot be stored, such as a function. */
export function encodeMessage(message: Message): StoredMessage {
  const { octets, body, payload, receivedAt, ...rest } = message;
  const meta = { ...rest, receivedAt: receivedAt.toISOString(), ...(utf8(octets) !== body && { body }) };
  return {
    meta: Buffer.from(JSON.stringify(meta)),
    octets,
    ...(!isParsed(payload, body) && { payload: serialized(payload) }),
  };
}

/** Makes the message again, frozen as it was. Each call makes a payload of its own. */
export function decodeMessage({ meta, octets, payload }: StoredMessage): Message {
  const { receivedAt, body = utf8(octets), ...rest } = metaOf(meta);
  for (const member of Object.values(rest)) if (typeof member === "object") Object.freeze(member);
  return Object.freeze({
    ...rest,
    receivedAt: new Date(receivedAt),
    body,
    octets,
    payload: payload ? (deserialize(payload) as unknown) : (JSON.parse(body) as unknown),
  });
}

/** What is told of a message without its octets. */
export function metaOf(meta: Buffer): Meta {
  return JSON.parse(meta.toString()) as Meta;
}

/** The text of octets in UTF-8, without a byte order mark. */
function utf8(octets: Buffer): string {
  const text = octets.toString();
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function isParsed(payload: unknown, body: string): boolean {
  try {
    return isDeepStrictEqual(payload, JSON.parse(body));
  } catch {
    // No JSON, or nested too deep to be compared.
    return false;
  }
}

function serialized(payload: unknown): Buffer {
  try {
    // Unlike JSON it keeps dates, maps and big integers. Node promises that later versions can read it.
    return serialize(payload);
  } catch (error) {
    throw new PermanentError(`The payload cannot be stored: ${String(error)}`, { cause: error });
  }
}
