/**
 * Structured fields (RFC 9651), read so that no two spellings mean the same: what signs them must be the only one.
 *
 * @module
 */
import { parseDictionary, serializeDictionary, type Dictionary } from "structured-headers";

/**
 * Parses a dictionary. It is `undefined` for what is none, and for what would be written otherwise, but for white space: a
 * key that comes twice, a number with zeros before it, base64 with bits to spare.
 */
export function strictDictionary(text: string): Dictionary | undefined {
  try {
    const dictionary = parseDictionary(text);
    return bare(serializeDictionary(dictionary)) === bare(text) ? dictionary : undefined;
  } catch {
    return undefined;
  }
}

function bare(text: string): string {
  return text.replace(/[ \t]/g, "");
}
