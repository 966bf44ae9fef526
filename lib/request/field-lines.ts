/**
 * Reads what header field lines say of a request as a whole: how long its body is, and which fields came twice.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";

/** How a request's body is delimited (RFC 9112 section 6.3): by a length in octets, by chunks, or there is none. */
export type Framing = { readonly declaredBytes: number } | "chunked" | "none";

/** Reads the framing that Node's parser has already held to the grammar. */
export function framingOf({ headers }: IncomingMessage): Framing {
  if (headers["transfer-encoding"] !== undefined) return "chunked";
  const length = headers["content-length"];
  return length === undefined ? "none" : { declaredBytes: Number(length) };
}

/** Whether a field (lower-case name) came in more than one line: of some fields `headers` shows the first line alone. */
export function cameTwice({ rawHeaders }: IncomingMessage, field: string): boolean {
  let seen = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== field.length || name.toLowerCase() !== field) continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}

/** A header field's value, several lines joined as RFC 9110 section 5.3 has it. */
export function fieldOf({ headers }: IncomingMessage, field: string): string | undefined {
  // A plain object has members such as "constructor" that nobody has sent.
  const value = Object.hasOwn(headers, field) ? headers[field] : undefined;
  return Array.isArray(value) ? value.join(", ") : value;
}
