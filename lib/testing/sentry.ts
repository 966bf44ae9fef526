/**
 * Signs as Sentry does.
 *
 * @module
 */
import { hmacOf, octetsOf, type SignedDelivery, type SignOptions, type SignPayload } from "./signed";

export type SignSentryOptions = SignOptions & {
  /** @defaultValue none */
  readonly deliveryId?: string | undefined;
  /** What it is about. @defaultValue `"issue"` */
  readonly resource?: string | undefined;
};

/** Signs a payload of Sentry. */
export function signSentry(
  payload: SignPayload,
  { secret, now = Date.now(), deliveryId, resource = "issue" }: SignSentryOptions,
): SignedDelivery {
  const body = octetsOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "sentry-hook-resource": resource,
      "sentry-hook-timestamp": String(Math.floor(now / 1000)),
      "sentry-hook-signature": hmacOf(secret, [body]),
      ...(deliveryId !== undefined && { "request-id": deliveryId }),
    },
    body,
  };
}
