/**
 * What of a delivery's header section goes on to a broker.
 *
 * @module
 */
import type { Message } from "../message";

/** RFC 9110 section 5.5: what no field value holds, and what would end a header of a broker. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\uffff]/;
/** Node lets no longer header section through unless told to; brokers bound a value to 65,535 octets. */
const MAX_LENGTH = 16_384;
const MAX_CONTENT_TYPE_LENGTH = 1024;

/**
 * The fields of a message, by their own names, without those whose name means something to the broker (a sender must not set
 * it), and without values that it could not carry.
 */
export function carriedFields({ fields }: Message, isReserved: (name: string) => boolean): [string, string][] {
  return Object.entries(fields).filter(([name, value]) => !isReserved(name) && isSound(value, MAX_LENGTH));
}

/** The content type as the sender wrote it; the media type where that is no good, and JSON's where there is none. */
export function contentTypeOf({ contentType, mediaType = "application/json" }: Message): string {
  return contentType !== undefined && isSound(contentType, MAX_CONTENT_TYPE_LENGTH) ? contentType : mediaType;
}

function isSound(value: string, maxLength: number): boolean {
  return value.length <= maxLength && !FORBIDDEN.test(value);
}
