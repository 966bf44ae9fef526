/**
 * Emitter: an HTTP endpoint of your own, or of a tenant, to which messages are forwarded as CloudEvents.
 *
 * @module
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { Emitter, Message } from "../message";
import { checkFunction, checkOptions, eitherOf, positiveInteger } from "../request/options";
import { attributesOf } from "./attributes";
import { BusyError } from "./busy-error";
import { carriedFields, contentTypeOf } from "./carried-fields";
import { fetchPoster, httpPoster, type ForwardFetch, type HttpAnswer } from "./http-post";
import { percentEncoded } from "./percent-encoded";
import { PermanentError } from "./permanent-error";
import { publicLookup } from "./public-address";
import { receiverUrl, type ReceiverUrlOptions } from "./receiver-url";
import { tooLarge } from "./too-large";

export type { ForwardFetch } from "./http-post";

export type HttpForwardEmitterOptions = ReceiverUrlOptions & {
  /**
   * How a message is written (CloudEvents HTTP binding 1.0.2): `"binary"`, the octets as body and the attributes as `ce-`
   * fields, or `"structured"`, one JSON document with all of it.
   *
   * @defaultValue `"binary"`
   */
  readonly mode?: "binary" | "structured" | undefined;
  /** Fields sent with each request, such as `Authorization`. They go to whatever URL a function returns. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Statuses by which the receiver says that it will never take this message: they throw a `PermanentError`. Choose with
   * care: without a `deadLetter` such a delivery is not asked for again. 400, 401, 404 and 415 are, as often as not, a
   * mistaken set-up, which would drop everything.
   *
   * @defaultValue `[422]`
   */
  readonly permanentStatuses?: readonly number[] | undefined;
  /**
   * How long a receiver may take to answer, in milliseconds. After that the delivery is refused with 503, although the
   * receiver may have it.
   *
   * @defaultValue `5_000`
   */
  readonly timeoutMs?: number | undefined;
  /**
   * In place of Node's own client, for a proxy or client certificates. It resolves names by itself, so a `url` that is a
   * function needs `allowPrivateAddresses: true` with it, and a `fetch` that looks after that.
   */
  readonly fetch?: ForwardFetch | undefined;
};

const WORDS = [
  "allowHttp",
  "allowPrivateAddresses",
  "allowedHosts",
  "fetch",
  "headers",
  "mode",
  "permanentStatuses",
  "timeoutMs",
  "url",
];
/** Fields of the connection or of the octets as they came, and ours. RFC 9110 sections 6.4, 7.6.1 and 8; RFC 9112 section 6. */
const RESERVED =
  /^(?:ce-.*|connection|content-.*|date|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;
/** RFC 9110 section 5.5: octets, each written as one character. Node refuses a request with any other. */
const FIELD_VALUE = /^[\t -~\x80-\xFF]*$/;
const STRUCTURED = "application/cloudevents+json; charset=utf-8";
/** Media types whose text stands in a CloudEvent as it is. CloudEvents JSON format 1.0.2, section 3.1. */
const JSON_TYPE = /^[^/]+\/(?:[^/]+\+)?json$/;
/** A receiver must not put senders off for longer than they try again. */
const LONGEST_RETRY_SECONDS = 3600;

/**
 * Creates an emitter that forwards messages by POST, and settles once the receiver has answered 2xx.
 *
 * - Promise: at least once, as long as the receiver answers 2xx only when it has the message for good.
 * - Deduplicated by nobody but the receiver: `ce-id` is the message's `key`, the same for a delivery that is sent again.
 * - Ordered by nothing: up to 64 requests to an origin are under way at once. `ce-partitionkey` is the `groupId`.
 * - Fields: attributes under `ce-`, percent-encoded as the binding says (decode them once); the delivery's own fields by their
 *   names, but for those of the connection and the content.
 * - 429 and 503 make it reject with a `BusyError`, with the `Retry-After` of the answer, up to an hour; 413 with
 *   `ERR_WEBHOOK_BODY_TOO_LARGE`; `permanentStatuses` with a `PermanentError`. Any other answer, a redirect among them, which
 *   is never followed, is a failure (503): the sender comes again, and nothing is lost by a wrong URL or password.
 *
 * @example
 * ```ts
 * httpForwardEmitter({ url: "http://orders.internal:8080/events", headers: { Authorization: `Bearer ${token}` } });
 * httpForwardEmitter({ url: async (message) => tenants.get(message.node).url });
 * ```
 */
export function httpForwardEmitter(options: HttpForwardEmitterOptions): Emitter {
  checkOptions("httpForwardEmitter", options, WORDS);
  const { mode = "binary", permanentStatuses = [422], timeoutMs = 5_000 } = options;
  eitherOf("mode", mode, "binary", "structured");
  positiveInteger("timeoutMs", timeoutMs);
  const permanent = new Set(permanentStatuses.map((status) => positiveInteger("permanentStatuses", status)));
  const ownFields = checkedFields(options.headers ?? {});
  const { urlOf, isGuarded } = receiverUrl(options);
  if (options.fetch && isGuarded) {
    throw new TypeError("fetch: it resolves names by itself, so a url that is a function needs allowPrivateAddresses.");
  }
  const post = options.fetch
    ? fetchPoster(checkFunction("fetch", options.fetch), timeoutMs)
    : httpPoster({ timeoutMs, lookup: isGuarded ? publicLookup : undefined });

  return async function httpForwardEmitter(message) {
    const url = await urlOf(message);
    const fields = Object.assign(deliveryFields(message), ownFields);
    const answer =
      mode === "binary"
        ? await post(url, Object.assign(fields, binaryFields(message)), message.octets)
        : await post(url, Object.assign(fields, { "content-type": STRUCTURED }), structured(message));
    if (answer.status < 200 || answer.status > 299) throw failure(answer, url, permanent);
  };
}

function deliveryFields(message: Message): Record<string, string> {
  const fields = carriedFields(message, (name) => RESERVED.test(name));
  return Object.fromEntries(fields.filter(([, value]) => FIELD_VALUE.test(value)));
}

function binaryFields(message: Message): Record<string, string> {
  const contentType = contentTypeOf(message);
  const fields: Record<string, string> = {
    "content-type": FIELD_VALUE.test(contentType) ? contentType : (message.mediaType ?? "application/json"),
  };
  for (const [name, value] of Object.entries(attributesOf(message))) {
    fields[`ce-${name}`] = percentEncoded(value);
  }
  return fields;
}

/** JSON stands in it as it was received, so that no number loses its digits; anything else in base64. */
function structured(message: Message): Buffer {
  const { mediaType = "application/json", body, octets } = message;
  const isPlain = JSON_TYPE.test(mediaType) && isJson(body);
  const head = { ...attributesOf(message), datacontenttype: isPlain ? mediaType : contentTypeOf(message) };
  const data = isPlain ? `"data":${body}` : `"data_base64":"${octets.toString("base64")}"`;
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},${data}}`);
}

/** Text that is no JSON would end up as members of the event. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function checkedFields(headers: Readonly<Record<string, string>>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    if (RESERVED.test(name)) throw new TypeError(`headers: ${name} is set by httpForwardEmitter itself.`);
    fields[name.toLowerCase()] = value;
  }
  return fields;
}

function failure({ status, retryAfter }: HttpAnswer, { host, pathname }: URL, permanent: ReadonlySet<number>): Error {
  // The query may hold a token, and this is logged.
  const said = `${host}${pathname} answered ${status}`;
  if (permanent.has(status)) return new PermanentError(`${said}: it will never take the message.`);
  if (status === 413) return tooLarge(undefined, `${said}.`);
  if (status === 429 || status === 503) {
    return new BusyError(`${said}.`, { retryAfterSeconds: secondsOf(retryAfter) });
  }
  if (status >= 300 && status < 400) return new Error(`${said}: redirects are not followed; give the URL it leads to.`);
  return new Error(`${said}.`);
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function secondsOf(retryAfter = ""): number {
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Math.min(Math.max(Number.isNaN(seconds) ? 1 : seconds, 1), LONGEST_RETRY_SECONDS);
}
