/**
 * Source: HTTP message signatures (RFC 9421), with a digest of the body (RFC 9530).
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { AuthenticatorArguments, Source, WebhookRequest } from "../authenticate/authenticator";
import { checkOptions, shown } from "../request/options";
import { contentDigest } from "./content-digest";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { checkMoment, memberReader, unauthorized } from "./facts";
import { messageSignatures, signatureBase, type MessageSignature } from "./signature-base";
import { signatureKeys, type SignatureKeys } from "./signature-keys";
import { queryOf, urlFinder, urlGuesses, type UrlOption } from "./url";

export type { SignatureAlgorithm, SignatureKey, SignatureKeyHint, SignatureKeys } from "./signature-keys";

export type HttpSignaturesOptions = TimedSourceOptions & {
  /** The sender's keys, or a function that finds them: if it fails, the delivery is refused with 503; none is 401. */
  readonly keys: SignatureKeys;
  /**
   * The URL as the sender knows it, to which the query of each request is put; or a function that tells the whole URL of a
   * request, query included.
   */
  readonly url: UrlOption;
  /**
   * Components that a signature has to cover: `@method`, `@target-uri`, `@authority`, `@scheme`, `@request-target`, `@path`,
   * `@query`, or the names of header fields. **Without `content-digest` nothing signs the body.**
   *
   * @defaultValue `["content-digest", "@method", "@target-uri"]`
   */
  readonly requiredComponents?: readonly string[] | undefined;
};

/**
 * Creates the source of senders that sign by RFC 9421, with Ed25519, HMAC-SHA256, ECDSA on P-256, RSA-PSS or RSA. One
 * signature has to be right: made with a key that is known and by that key's algorithm, of all required components, with a
 * time `created`. If it covers `content-digest`, the digest is held against the octets as sent, before any content coding is
 * undone. Components with parameters (such as `;bs`, or `@query-param`) are not supported. `Signature`, `Signature-Input` and
 * `Content-Digest` are refused if they come twice; the lines of any other covered field are signed as if they were one.
 *
 * The delivery id is the signature's `nonce`, if it has one; the event type is the payload's `type`, if it has one. Whether
 * and how often it is sent again is for the sender to say: a delivery that is signed anew may have another nonce.
 * `toleranceSeconds` is 300 unless told otherwise, and a signature that is over (`expires`) is refused.
 *
 * @throws TypeError at start, for a key that is missing or malformed, a `url` that is none, and an empty list of components.
 */
export function httpSignatures<Event = unknown>(options: HttpSignaturesOptions): Source<Event> {
  checkOptions("httpSignatures", options, WORDS);
  const required = componentsOf(options.requiredComponents);
  const nonces = new WeakMap<IncomingMessage, string>();

  return defineSource<Event>(
    {
      name: "http-signatures",
      verify: messageVerifier(options, required, ({ nonce }, request) => {
        if (nonce !== undefined && nonce !== "") nonces.set(request, nonce);
      }),
      deliveryId: ({ request }) => nonces.get(request),
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: required.includes(OF_BODY) ? "signed" : "unsigned" },
    },
    options,
  );
}

const OF_BODY = "content-digest";
const WORDS = ["keys", "url", "requiredComponents", "toleranceSeconds", "now", "only", "ignore"];
const COMPONENT = /^(?:@(?:method|target-uri|authority|scheme|request-target|path|query)|[!#$%&'*+\-.^_`|~0-9a-z]+)$/;

function componentsOf(components: readonly string[] = [OF_BODY, "@method", "@target-uri"]): readonly string[] {
  if (!Array.isArray(components) || components.length === 0) {
    throw new TypeError("requiredComponents: it must be a list of at least one component, or nothing would be signed.");
  }
  return (components as readonly unknown[]).map((name) => {
    if (typeof name === "string" && COMPONENT.test(name)) return name;
    throw new TypeError(
      `requiredComponents: ${shown(name)} is no component such as "@method", or a field in lower case.`,
    );
  });
}

function messageVerifier(
  { keys, url, toleranceSeconds = 300, now = Date.now }: HttpSignaturesOptions,
  required: readonly string[],
  onMatch: (signature: MessageSignature, request: IncomingMessage) => void,
): Verify {
  const keysOf = signatureKeys(keys);
  const urlOf = wholeUrlFinder(url);

  async function verifySignature(signature: MessageSignature, args: AuthenticatorArguments): Promise<void> {
    const { components, created, expires, proof } = signature;
    const { request } = args;
    const missing = required.find((name) => !components.includes(name));
    if (missing !== undefined) throw unauthorized(`The signature does not cover ${missing}.`, adviceOnMissing(missing));
    if (created === undefined) throw unauthorized("The signature has no time, created.");
    checkMoment(created * 1000, { toleranceSeconds, now });
    if (expires !== undefined && expires * 1000 < now()) throw expired(now() - expires * 1000);
    const checkDigest = components.includes(OF_BODY) ? contentDigest(args) : undefined;

    const candidates = await keysOf(request, signature);
    if (candidates.length === 0) {
      throw unauthorized("The key is not known.", "Is there a key with this keyid, for this alg?");
    }
    const address = urlOf(request);
    const fits = (one: string): boolean => {
      const base = signatureBase(signature, request, one);
      return candidates.some((key) => key.verify(base, proof));
    };
    if (!fits(address)) {
      // A guess holds fields that anybody may have written, so that it may be no URL.
      const explain = (): string =>
        urlGuesses(address, request).find((guess) => URL.canParse(guess.url) && fits(guess.url))?.why ??
        "It was not signed for any likely URL.";
      // The query may hold a token, and this is logged.
      const [known] = address.split("?", 1);
      const advice = `Is ${known} the URL as the sender knows it?`;
      throw Object.assign(unauthorized("The signature does not match.", advice), { explain });
    }
    await checkDigest?.();
    onMatch(signature, request);
  }

  return async function verifyMessage(args) {
    let refusal = unauthorized("There is no signature.");
    for (const read of messageSignatures(args.request)) {
      try {
        return await verifySignature(read(), args);
      } catch (error) {
        if ((error as { status?: unknown }).status !== 401) throw error;
        refusal = error as typeof refusal;
      }
    }
    throw refusal;
  };
}

function adviceOnMissing(component: string): string {
  const risk = component === OF_BODY ? ", but then nothing signs the body" : "";
  return `Let the sender sign it too, or leave it out of requiredComponents${risk}.`;
}

function expired(ageMs: number): Error {
  return unauthorized(
    "The time of the signature's parameter expires is over.",
    `It was ${Math.ceil(ageMs / 1000)} s ago: either a clock is wrong, or the sender gives too little time, or an old delivery was sent again as it was.`,
  );
}

function wholeUrlFinder(url: UrlOption): (request: WebhookRequest) => string {
  const find = urlFinder(url);
  if (typeof url === "function") return find;
  const configured = new URL(url);
  configured.search = configured.hash = "";
  return (request) => `${configured.href}${queryOf(request)}`;
}
