/**
 * Source: Azure Event Grid. https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import { checkOptions, text } from "../request/options";
import type { SourceAnswer } from "../request/source";
import { accessTokenVerifier, type AccessTokenOptions } from "./access-token";
import { defineSource, type SourceOptions } from "./define-source";
import { fieldReader, memberReader, textMember } from "./facts";
import { originHandshake, type WebhookOriginOptions } from "./webhook-origin";

export type EventGridOptions = SourceOptions &
  AccessTokenOptions &
  WebhookOriginOptions & {
    /**
     * The parameter of the endpoint's URL that holds the token, if it does not come in `Authorization`.
     *
     * @defaultValue `"token"`
     */
    readonly tokenParameter?: string | undefined;
  };

/**
 * Creates the source of Azure Event Grid, which signs nothing. With `tokens`, each delivery has to bring one: in the query of
 * the endpoint's URL, or in `Authorization: Bearer` as a delivery property. With Microsoft Entra ID instead, say
 * `anonymous: "accept"`, and put `jwtAuthenticator` behind it by `allOf`.
 *
 * A `SubscriptionValidationEvent` that brings the token is answered with its code; its `validationUrl` is never fetched. With
 * the schema of CloudEvents the handshake is OPTIONS, granted to `allowedOrigins`, which is `["eventgrid.azure.net"]` unless
 * told otherwise: the name in Azure's public cloud, and not in those of governments. Each item of an array is a message; the
 * delivery id is its `id`, the event type its `eventType`, or `type` of a CloudEvent.
 *
 * Event Grid waits 30 seconds, and sends again for 24 hours, ever later; what is answered with 400 or 413 it gives up, and
 * puts with the dead letters if there is a place for them.
 *
 * @throws TypeError at start, without tokens and without `anonymous: "accept"`, and for any that is missing or malformed.
 */
export function eventGrid<Event = unknown>(options: EventGridOptions): Source<Event> {
  checkOptions("eventGrid", options, WORDS);
  const { allowedOrigins = ["eventgrid.azure.net"], allowedRatePerMinute, tokenParameter = "token" } = options;
  const handshake = originHandshake({ allowedOrigins, allowedRatePerMinute });

  return defineSource<Event>(
    {
      name: "event-grid",
      verify: accessTokenVerifier("eventGrid", text("tokenParameter", tokenParameter), options),
      // An event, or an array of events, has up to 1 MB when it is published.
      accepts: { deadlineMs: 28_000, maxBytes: 2_097_152 },
      handshake,
      reply: ({ request, payload }) => (isValidation(request, payload) ? validationAnswer(payload) : undefined),
      split: (payload) => (Array.isArray(payload) ? (payload as Event[]) : undefined),
      deliveryId: memberReader("id"),
      eventType: ({ payload }) => textMember(payload, "eventType") ?? textMember(payload, "type"),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

const WORDS = ["tokens", "anonymous", "tokenParameter", "allowedOrigins", "allowedRatePerMinute", "only", "ignore"];
const VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent";
const kindOf = fieldReader("aeg-event-type");
/** A GUID by the documentation's example; its form is not promised. */
const CODE = /^[\w-]{1,256}$/;

/** The event comes alone. Publishers choose the types of their events, but not the field. */
function isValidation(request: IncomingMessage, payload: unknown): boolean {
  if (kindOf({ request })?.toLowerCase() !== "subscriptionvalidation") return false;
  return Array.isArray(payload) && payload.length === 1 && textMember(payload, "0", "eventType") === VALIDATION;
}

function validationAnswer(payload: unknown): SourceAnswer {
  const code = textMember(payload, "0", "data", "validationCode");
  return code !== undefined && CODE.test(code) ? { body: { validationResponse: code } } : {};
}
