/**
 * Signs as Discord does.
 *
 * @module
 */
import { sign, type KeyLike } from "node:crypto";
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignDiscordOptions = {
  /** A private key of Ed25519, whose public key the receiver has. */
  readonly privateKey: KeyLike;
  /** When it is signed, in milliseconds since 1970. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Signs a payload of Discord. */
export function signDiscord(
  payload: SignPayload,
  { privateKey, now = Date.now() }: SignDiscordOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  const time = String(Math.floor(now / 1000));
  return {
    headers: {
      "content-type": "application/json",
      "x-signature-timestamp": time,
      "x-signature-ed25519": sign(null, Buffer.concat([Buffer.from(time), body]), privateKey).toString("hex"),
    },
    body,
  };
}
