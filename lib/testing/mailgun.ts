/**
 * Signs as Mailgun does.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions } from "./signed";

export type SignMailgunOptions = SignOptions & {
  /** 50 characters. @defaultValue random ones */
  readonly token?: string | undefined;
  /** The key of the primary account, where a subaccount sends. */
  readonly parentSecret?: string | undefined;
};

/** Signs event data of Mailgun. The signature is a member of the body, beside the event. */
export function signMailgun(
  eventData: unknown,
  { secret, parentSecret, now = Date.now(), token = randomBytes(25).toString("hex") }: SignMailgunOptions,
): SignedDelivery {
  const timestamp = String(Math.floor(now / 1000));
  const sign = (key: string): string => hmacOf(key, [timestamp, token]);
  const signature = {
    token,
    timestamp,
    signature: sign(secret),
    ...(parentSecret !== undefined && { "parent-signature": sign(parentSecret) }),
  };
  return {
    headers: { "content-type": "application/json" },
    body: octetsOf({ signature, "event-data": eventData }),
  };
}
