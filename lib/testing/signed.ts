/**
 * What a signer of a provider makes: the header fields and the octets of a delivery as that provider sends it.
 *
 * @module
 */
import { createHmac } from "node:crypto";

export type SignedDelivery = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** A payload: text and octets are sent as they are, any other value as JSON. */
export type SignPayload = unknown;

export type SignOptions = {
  /** The secret shared with the receiver. */
  readonly secret: string;
  /**
   * When it is signed, in milliseconds since 1970.
   *
   * @defaultValue `Date.now()`
   */
  readonly now?: number | undefined;
};

/** The octets of a payload. */
export function octetsOf(payload: SignPayload): Buffer {
  if (Buffer.isBuffer(payload)) return payload;
  return Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
}

/** An HMAC over pieces, written in hex or base64. */
export function hmacOf(
  key: string | Buffer,
  pieces: readonly (string | Buffer)[],
  { algorithm = "sha256", encoding = "hex" }: { algorithm?: string; encoding?: "hex" | "base64" } = {},
): string {
  const hmac = createHmac(algorithm, key);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest(encoding);
}
