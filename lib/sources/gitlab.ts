/**
 * Source: GitLab. https://docs.gitlab.com/user/project/integrations/webhooks/
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { fieldReader, textMember } from "./facts";
import { standardDeliveryId, standardVerifier } from "./standard-webhooks";
import { tokenVerifier } from "./token-verifier";

export type GitlabOptions = TimedSourceOptions & {
  /** The webhook's signing tokens, with `whsec_` before them. */
  readonly secrets?: Secrets | undefined;
  /**
   * The webhook's secret tokens, which come in `X-Gitlab-Token` as they are: the older form. Beside `secrets` they do not
   * do alone, for whoever has seen one delivery knows the token: both must be right.
   */
  readonly tokens?: Secrets | undefined;
};

/**
 * Creates the source of GitLab's webhooks. With `secrets`, deliveries are verified as Standard Webhooks: id, time and body
 * are signed. With `tokens`, `X-Gitlab-Token` is compared, and nothing is signed.
 *
 * The delivery id is `webhook-id`, or in the older form `Idempotency-Key`; the event type is the payload's `object_kind`, or
 * `event_name` where there is none. GitLab waits 10 seconds, does not send again what you refuse, and disables a webhook
 * after four failures in a row, for ever longer, and for good after forty. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, without secrets and tokens, and for any that is missing, empty or malformed.
 */
export function gitlab<Event = unknown>(options: GitlabOptions): Source<Event> {
  checkOptions("gitlab", options, ["secrets", "tokens", "toleranceSeconds", "now", "only", "ignore"]);
  const isSigned = options.secrets !== undefined;
  const provenance = isSigned ? "signed" : "unsigned";

  return defineSource<Event>(
    {
      name: "gitlab",
      verify: gitlabVerifier(options),
      accepts: { deadlineMs: 9_000 },
      deliveryId: isSigned ? standardDeliveryId : fieldReader("Idempotency-Key"),
      eventType: ({ payload }) => textMember(payload, "object_kind") ?? textMember(payload, "event_name"),
      provenance: { deliveryId: provenance, eventType: provenance },
    },
    options,
  );
}

function gitlabVerifier({ secrets, tokens, toleranceSeconds, now }: GitlabOptions): Verify {
  const byToken = tokens === undefined ? undefined : tokenVerifier({ field: "X-Gitlab-Token", tokens });
  if (secrets === undefined) {
    if (byToken) return byToken;
    throw new TypeError("gitlab: it needs secrets, or tokens for the older form, to verify what comes.");
  }
  const bySignature = standardVerifier("gitlab", { secrets, toleranceSeconds, now });
  return async function verifyGitlab(args) {
    await byToken?.(args);
    await bySignature(args);
  };
}
