/**
 * Source: Slack. https://docs.slack.dev/authentication/verifying-requests-from-slack
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { afterPrefix, checkTime, memberReader, oneField, textMember } from "./facts";
import { acceptsForms, formFields, jsonInForm, takesForms } from "./form";
import { hmacVerifier } from "./hmac-verifier";

export type SlackOptions = TimedSourceOptions & {
  /** The app's signing secrets. */
  readonly secrets: Secrets;
  /**
   * Takes forms too: interactions, whose payload is the JSON in the field `payload`, and slash commands, whose payload is an
   * object of the form's fields.
   *
   * @defaultValue `false`
   */
  readonly form?: boolean | undefined;
};

const SIGNATURE = "X-Slack-Signature";

/**
 * Creates the source of Slack's Events API: `v0:timestamp:body` is signed. The handshake `url_verification` is signed like
 * all else, and answered with its challenge. The delivery id is `event_id`, the event type that of the inner event.
 *
 * Slack waits 3 seconds, and sends again three times. `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function slack<Event = unknown>(options: SlackOptions): Source<Event> {
  checkOptions("slack", options, ["secrets", "form", "toleranceSeconds", "now", "only", "ignore"]);
  const { secrets, toleranceSeconds = 300, now } = options;
  const form = takesForms(options.form);
  const json = jsonInForm("payload");

  return defineSource<Event>(
    {
      name: "slack",
      verify: hmacVerifier({
        source: "slack",
        secrets,
        signed({ request }) {
          const timestamp = oneField(request, "X-Slack-Request-Timestamp");
          const signature = afterPrefix("v0=", oneField(request, SIGNATURE), SIGNATURE);
          checkTime(timestamp, { toleranceSeconds, now });
          return { signatures: [signature], before: `v0:${timestamp}:` };
        },
      }),
      accepts: { deadlineMs: 2_500, ...acceptsForms(form) },
      // Slack shows a member what it is answered to a command or a dialog: nothing is the answer that shows nothing.
      ...(form && {
        success: { body: undefined },
        payloadOf: (body) => (new URLSearchParams(body.text).has("payload") ? json(body) : formFields(body)),
      }),
      reply({ payload }) {
        if (textMember(payload, "type") !== "url_verification") return undefined;
        return { text: textMember(payload, "challenge") ?? "" };
      },
      deliveryId: memberReader("event_id"),
      eventType: ({ payload }) =>
        textMember(payload, "event", "type") ?? textMember(payload, "type") ?? textMember(payload, "command"),
      provenance: { deliveryId: "signed", eventType: "signed" },
    },
    options,
  );
}
