/**
 * Signs as GitLab does.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { SignedDelivery, SignPayload } from "./signed";
import { signStandardWebhooks } from "./standard-webhooks";

export type SignGitlabOptions = {
  /** The webhook's signing token, with `whsec_` before it. */
  readonly secret?: string | undefined;
  /** The webhook's secret token. */
  readonly token?: string | undefined;
  /** What `X-Gitlab-Event` tells. */
  readonly event?: string | undefined;
  readonly deliveryId?: string | undefined;
  /** @defaultValue `Date.now()` */
  readonly now?: number | undefined;
};

/** Makes a delivery of GitLab, signed with a secret, sent with a token, or both. */
export function signGitlab(
  payload: SignPayload,
  { secret, token, event = "Push Hook", deliveryId = randomUUID(), now }: SignGitlabOptions,
): SignedDelivery {
  const { headers, body } = signStandardWebhooks(payload, { secret, deliveryId, now });
  const { "webhook-signature": signature, ...others } = headers;
  return {
    headers: {
      ...others,
      ...(secret !== undefined && { "webhook-signature": signature as string }),
      ...(token !== undefined && { "x-gitlab-token": token }),
      "idempotency-key": deliveryId,
      "x-gitlab-event": event,
    },
    body,
  };
}
