/**
 * Source: Vercel. https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { memberReader, oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type VercelOptions = SourceOptions & {
  /** The webhook's secrets; of an integration's webhooks, its client secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Vercel's webhooks: the body is signed with HMAC-SHA1, without a time, so that a delivery can be
 * replayed. The delivery id is the payload's `id`, the event type its `type`.
 *
 * Vercel sends again for 24 hours.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function vercel<Event = unknown>(options: VercelOptions): Source<Event> {
  checkOptions("vercel", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "vercel",
      verify: hmacVerifier({
        source: "vercel",
        secrets,
        algorithm: "sha1",
        signed: ({ request }) => ({ signatures: [oneField(request, "X-Vercel-Signature")] }),
      }),
      deliveryId: memberReader("id"),
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
