/**
 * Source: GitHub. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { afterPrefix, fieldReader, oneField } from "./facts";
import { acceptsForms, jsonInForm, takesForms } from "./form";
import { hmacVerifier } from "./hmac-verifier";

export type GithubOptions = SourceOptions & {
  /** The webhook's secrets. */
  readonly secrets: Secrets;
  /**
   * Takes the content type `application/x-www-form-urlencoded` too, with the JSON in its field `payload`.
   *
   * @defaultValue `false`
   */
  readonly form?: boolean | undefined;
};

const FIELD = "X-Hub-Signature-256";

/**
 * Creates the source of GitHub's webhooks: `X-Hub-Signature-256` is verified over the body; the SHA-1 field beside it is
 * not looked at. A `ping` is answered, and not emitted.
 *
 * Delivery id (`X-GitHub-Delivery`) and event type (`X-GitHub-Event`) are fields that the signature does not cover. GitHub
 * waits 10 seconds and never sends again by itself: keep what your broker cannot take.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function github<Event = unknown>(options: GithubOptions): Source<Event> {
  checkOptions("github", options, ["secrets", "form", "only", "ignore"]);
  const { secrets } = options;
  const form = takesForms(options.form);
  const eventType = fieldReader("X-GitHub-Event");

  return defineSource<Event>(
    {
      name: "github",
      verify: hmacVerifier({
        source: "github",
        secrets,
        signed: ({ request }) => ({ signatures: [afterPrefix("sha256=", oneField(request, FIELD), FIELD)] }),
      }),
      // GitHub caps payloads at 25 MB.
      accepts: { maxBytes: 26_214_400, deadlineMs: 9_000, ...acceptsForms(form) },
      ...(form && { payloadOf: jsonInForm("payload") }),
      deliveryId: fieldReader("X-GitHub-Delivery"),
      eventType,
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
      reply: (facts) => (eventType(facts) === "ping" ? {} : undefined),
    },
    options,
  );
}
