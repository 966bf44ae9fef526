/**
 * How the octets of a signature are written.
 *
 * @module
 */
import { shown } from "../request/options";

/** RFC 4648 section 3.5: the bits to spare behind no, one or two octets are zero, so that a signature is written in one way. */
const LAST_DIGITS = ["A-Za-z0-9+/", "AQgw", "AEIMQUYcgkosw048"];

/**
 * The form of a signature, held to before it is decoded: Node decodes hex and base64 leniently, so that junk behind a good
 * signature would pass.
 */
export function signatureGrammar(prefix: string, encoding: "hex" | "base64", octets: number): RegExp {
  const literal = prefix.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (encoding === "hex") return new RegExp(`^${literal}([0-9a-f]{${octets * 2}})$`);
  if (encoding !== "base64") throw new TypeError(`encoding: ${shown(encoding)} is neither "hex" nor "base64".`);
  // RFC 4648 section 4: whole groups of three octets, then one or two octets padded.
  const digits = Math.ceil((octets * 4) / 3);
  const lastDigits = LAST_DIGITS[octets % 3] as string;
  return new RegExp(`^${literal}([A-Za-z0-9+/]{${digits - 1}}[${lastDigits}]={${(4 - (digits % 4)) % 4}})$`);
}
