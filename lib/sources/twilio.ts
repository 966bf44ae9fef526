/**
 * Source: Twilio. https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import type { Source, WebhookRequest } from "../authenticate/authenticator";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { parseContentType } from "../request/content-type";
import { checkOptions, shown } from "../request/options";
import { defineSource, type SourceOptions, type Verify } from "./define-source";
import { fieldReader, oneField, textMember, unauthorized } from "./facts";
import { acceptsForms, FORM, formFields, takesForms } from "./form";
import { signatureDecoder } from "./hmac-verifier";
import { queryOf, urlFinder, type UrlOption } from "./url";

export type TwilioOptions = SourceOptions & {
  /** The account's auth tokens: the primary, and the secondary while it is promoted. */
  readonly secrets: Secrets;
  /**
   * The URL as it is configured at Twilio, to which the query of each request is put; or a function that tells the whole
   * URL of a request, query included.
   */
  readonly url: UrlOption;
  /**
   * Takes forms too (`application/x-www-form-urlencoded`), the payload being an object of their fields. All but events are
   * sent so.
   *
   * @defaultValue `false`
   */
  readonly form?: boolean | undefined;
};

/**
 * Creates the source of Twilio's webhooks. Of JSON the URL is signed, and the body's SHA-256 that its parameter
 * `bodySHA256` holds; without that nothing would cover the body, so it is refused. Of a form the URL and the fields are
 * signed, names and values with nothing between them: who can replay a form can move where a name ends. There is no time.
 *
 * An array of events is split. The delivery id of an event is its `id`, that of anything else the unsigned field
 * `I-Twilio-Idempotency-Token`. Twilio waits 5 seconds for events, and sends them again for four hours; it waits 15 seconds
 * for all else, and sends that again only if its URL says so. With `form` the answer to a success is empty, for Twilio reads it as TwiML.
 *
 * @throws TypeError at start, for a missing or empty secret, and for a `url` that is none.
 */
export function twilio<Event = unknown>(options: TwilioOptions): Source<Event> {
  checkOptions("twilio", options, ["secrets", "url", "form", "only", "ignore"]);
  const form = takesForms(options.form);
  const idempotencyToken = fieldReader("I-Twilio-Idempotency-Token");

  return defineSource<Event>(
    {
      name: "twilio",
      verify: twilioVerifier(options),
      accepts: { deadlineMs: 4_500, ...acceptsForms(form) },
      ...(form && { success: { body: undefined }, payloadOf: formFields }),
      split: (payload) => (Array.isArray(payload) ? (payload as Event[]) : undefined),
      deliveryId: ({ request, payload }) =>
        textMember(payload, "specversion") === undefined ? idempotencyToken({ request }) : textMember(payload, "id"),
      eventType: ({ payload }) => textMember(payload, "type") ?? textMember(payload, "EventType"),
      provenance: { deliveryId: "unsigned", eventType: "signed" },
    },
    options,
  );
}

const FIELD = "X-Twilio-Signature";

function twilioVerifier({ secrets, url, form = false }: TwilioOptions): Verify {
  const keysOf = secretKeys(secrets);
  const urlsOf = urlsFinder(url);
  const decode = signatureDecoder("base64", 20);

  return async function verifyTwilio({ request, body }) {
    const proof = decode(oneField(request, FIELD));
    if (!proof) throw unauthorized(`${FIELD} is not sha1 in base64.`);
    const urls = urlsOf(request);
    const bodyDigest = digestIn(urls[0]);
    const isForm = form && parseContentType(request.headers["content-type"])?.mediaType === FORM;
    if (!bodyDigest && !isForm) {
      throw unauthorized(
        "The URL has no bodySHA256, so nothing signs the body.",
        "Twilio signs JSON so by itself; does something between Twilio and the node drop the query?",
      );
    }

    const keys = await keysOf(request);
    const fields = bodyDigest ? "" : signedFields(await body.text(), await body.bytes());
    const isProven = keys.some((key) =>
      urls.some((one) => isEqual(proof, createHmac("sha1", key).update(`${one}${fields}`).digest())),
    );
    if (!isProven) throw unauthorized("The signature does not match.", MISMATCH);
    if (!bodyDigest) return;
    const hash = createHash("sha256");
    await body.each((octets) => hash.update(octets));
    if (!isEqual(bodyDigest, hash.digest())) throw unauthorized("bodySHA256 does not match the body.");
  };
}

const MISMATCH = "Is url the one configured at Twilio, letter by letter, and is the token that of the right account?";

/** The octets of the one `bodySHA256` in a URL. @throws HTTPException 401 for one that is malformed, and for two. */
function digestIn(url: string): Buffer | undefined {
  const at = url.indexOf("?");
  const digests = at === -1 ? [] : new URLSearchParams(url.slice(at)).getAll("bodySHA256");
  const [digest, ...others] = digests;
  if (digest === undefined) return undefined;
  if (others.length > 0 || !/^[0-9a-f]{64}$/.test(digest)) {
    throw unauthorized("bodySHA256 is not one SHA-256 in hex.");
  }
  return Buffer.from(digest, "hex");
}

/** Names and values, sorted by name; of a name that comes more than once each value once, sorted. */
function signedFields(text: string, octets: Buffer): string {
  // A byte order mark, or another charset, would be spelt away.
  if (!isEqual(Buffer.from(text), octets)) throw unauthorized("The form is not in UTF-8.");
  const fields = Object.entries(formFields({ text }));
  // A request by GET is signed by its URL alone: as a form without fields, it would prove nothing of its body.
  if (fields.length === 0) throw unauthorized("The form has no fields.");
  return fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [...new Set([value].flat())].sort().map((one) => name + one))
    .join("");
}

const PARTS = /^(https?:\/\/(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^/?#@:]+))(:\d+)?([/?][^#]*)?(?:#.*)?$/i;

/** Makes a function that finds the URLs that Twilio may have signed: it is not said whether with the port or without. */
function urlsFinder(url: UrlOption): (request: WebhookRequest) => [string, string] {
  const urlOf = urlFinder(url);
  if (typeof url === "string") partsOf(url);

  return function urlsOf(request) {
    const [origin, port, rest] = partsOf(urlOf(request));
    const path = typeof url === "string" ? rest.replace(/\?.*$/, "") + queryOf(request) : rest;
    return [`${origin}${path}`, `${origin}${port}${path}`];
  };
}

/** Scheme and host, the port, and what follows without the fragment, which is for Twilio alone. */
function partsOf(url: string): [origin: string, port: string, rest: string] {
  const [, origin, port, rest = ""] = PARTS.exec(url) ?? [];
  if (origin === undefined) throw new TypeError(`url: ${shown(url)} is not the URL of a webhook.`);
  return [origin, port ?? (/^https:/i.test(origin) ? ":443" : ":80"), rest];
}
