/**
 * Source: CloudEvents 1.0 over HTTP, by their specification of webhooks.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Source } from "../authenticate/authenticator";
import { HTTPException } from "../authenticate/http-exception";
import { parseContentType } from "../request/content-type";
import { checkOptions } from "../request/options";
import type { DeliveryFacts } from "../request/source";
import { accessTokenVerifier, type AccessTokenOptions } from "./access-token";
import { defineSource, type SourceOptions, type Verify } from "./define-source";
import { fieldReader, textMember } from "./facts";
import { originHandshake, type WebhookOriginOptions } from "./webhook-origin";

export type CloudEventsOptions = SourceOptions & AccessTokenOptions & WebhookOriginOptions;

/**
 * Creates the source of senders of CloudEvents. They sign nothing: with `tokens`, each delivery has to bring one, in
 * `Authorization: Bearer` or in the query's `access_token`, which is logged on its way. The handshake by OPTIONS is granted to
 * `allowedOrigins`, and is 405 without.
 *
 * All modes are taken whose data is JSON. In structured mode the payload is the whole event; of a batch each item is one; in
 * binary mode the payload is the data alone, and the node's option `fields` keeps other attributes, such as `ce-source`. The
 * delivery id is the event's `id`, which is unique within its `source` only, and the event type its `type`: in binary mode
 * `ce-id` and `ce-type`. A request in no mode is answered with 415.
 *
 * Whether and how often a sender sends again is its own to say; by the specification it takes 410 for the end, and heeds
 * `Retry-After`.
 *
 * @throws TypeError at start, without tokens and without `anonymous: "accept"`, and for any that is missing or malformed.
 */
export function cloudEvents<Event = unknown>(options: CloudEventsOptions): Source<Event> {
  checkOptions("cloudEvents", options, [
    "tokens",
    "anonymous",
    "allowedOrigins",
    "allowedRatePerMinute",
    "only",
    "ignore",
  ]);
  const handshake = originHandshake(options);

  return defineSource<Event>(
    {
      name: "cloudevents",
      verify: cloudEventVerifier(accessTokenVerifier("cloudEvents", "access_token", options)),
      ...(handshake && { handshake }),
      // A list is a batch, whichever of the two media types it comes under: no event in it must pass by `only` and `ignore`.
      split: (payload, { request }) =>
        modeOf(request) !== "binary" && Array.isArray(payload) ? (payload as Event[]) : undefined,
      deliveryId: attributeReader("id"),
      eventType: attributeReader("type"),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

/** Attributes that every event has. CloudEvents 1.0.2, "Required attributes". */
const REQUIRED = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

function cloudEventVerifier(verifyToken: Verify): Verify {
  return async function verifyCloudEvents(args) {
    await verifyToken(args);
    const { request } = args;
    if (modeOf(request) !== "binary") return;
    const missing = REQUIRED.filter((field) => !request.headers[field]);
    if (missing.length === 0) return;
    throw new HTTPException(415, { detail: `This is no CloudEvent in any mode: it lacks ${missing.join(", ")}.` });
  };
}

/** HTTP protocol binding 1.0.2 section 3: the media type tells the mode. */
function modeOf({ headers }: IncomingMessage): "batch" | "structured" | "binary" {
  const mediaType = parseContentType(headers["content-type"])?.mediaType ?? "";
  if (mediaType.startsWith("application/cloudevents-batch")) return "batch";
  return mediaType.startsWith("application/cloudevents") ? "structured" : "binary";
}

function attributeReader(name: string): (facts: DeliveryFacts) => string | undefined {
  const read = fieldReader(`ce-${name}`);
  return ({ request, payload }) =>
    modeOf(request) === "binary" ? decoded(read({ request })) : textMember(payload, name);
}

/** HTTP protocol binding 1.0.2 section 3.1.3.2: quotes are undone, then escapes. What is not UTF-8 is as good as absent. */
function decoded(value: string | undefined): string | undefined {
  const bare = value?.replace(/^"(.*)"$/, (_, quoted: string) => quoted.replace(/\\(.)/g, "$1"));
  try {
    return bare && decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}
