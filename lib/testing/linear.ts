/**
 * Signs as Linear does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignLinearOptions = SignOptions & {
  /** @defaultValue none */
  readonly deliveryId?: string | undefined;
};

/** Signs a payload of Linear. An object gets the time as its member `webhookTimestamp`; text and octets are sent as they are. */
export function signLinear(
  payload: SignPayload,
  { secret, now = Date.now(), deliveryId }: SignLinearOptions,
): SignedDelivery {
  const isText = typeof payload === "string" || Buffer.isBuffer(payload);
  const body = octetsOf(isText ? payload : { ...(payload as object), webhookTimestamp: now });
  return {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "linear-timestamp": String(now),
      "linear-signature": hmacOf(secret, [body]),
      ...(deliveryId !== undefined && { "linear-delivery": deliveryId }),
    },
    body,
  };
}
