/**
 * Source: Standard Webhooks, and Svix, from which it comes. https://github.com/standard-webhooks/standard-webhooks
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AuthenticatorArguments, Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions, shown } from "../request/options";
import type { SourceTraits } from "../request/source";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { checkTime, fieldReader, memberReader, oneField, unauthorized, type TimeWindow } from "./facts";
import { hmacVerifier, signatureDecoder } from "./hmac-verifier";
import type { Signed } from "../authenticate/signed";
import { ed25519Key, publicKeyVerifier } from "./public-key-verifier";

export type StandardWebhooksOptions = TimedSourceOptions & {
  /** Secrets of signatures `v1`: base64, with or without `whsec_` before it. */
  readonly secrets?: Secrets | undefined;
  /** Public keys of signatures `v1a` (Ed25519): base64, with or without `whpk_` before it. */
  readonly publicKeys?: readonly (string | undefined)[] | undefined;
};

/** The options of a provider that signs with secrets alone, `v1`. */
export type StandardSecretOptions = TimedSourceOptions & {
  /** The endpoint's signing secrets: base64, with `whsec_` before it. */
  readonly secrets: Secrets;
};

export const SECRET_WORDS = ["secrets", "toleranceSeconds", "now", "only", "ignore"];
export const STANDARD_WORDS = ["secrets", "publicKeys", "toleranceSeconds", "now", "only", "ignore"];

/**
 * Creates the source of senders that follow Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, or
 * the same with `svix-`. Id, time and body are all signed. The delivery id is `webhook-id`, the event type the member `type`.
 *
 * `toleranceSeconds` is 300 unless told otherwise.
 *
 * @throws TypeError at start, without secrets and public keys, and for any that is missing, empty or malformed.
 */
export function standardWebhooks<Event = unknown>(options: StandardWebhooksOptions): Source<Event> {
  checkOptions("standardWebhooks", options, STANDARD_WORDS);
  return standardSource<Event>("standard-webhooks", options);
}

/** Makes a source of a provider that follows Standard Webhooks under a name of its own. */
export function standardSource<Event = unknown>(
  name: string,
  options: StandardWebhooksOptions,
  traits: Partial<SourceTraits<Event>> = {},
  keyOf: (secret: string | Buffer) => string | Buffer = standardKey,
): Source<Event> {
  return defineSource<Event>(
    {
      name,
      verify: standardVerifier(name, options, keyOf),
      deliveryId: standardDeliveryId,
      eventType: memberReader("type"),
      provenance: { deliveryId: "signed", eventType: "signed" },
      ...traits,
    },
    options,
  );
}

/** Verifies what is signed by Standard Webhooks. */
export function standardVerifier(
  name: string,
  { secrets, publicKeys, toleranceSeconds = 300, now }: StandardWebhooksOptions,
  keyOf: (secret: string | Buffer) => string | Buffer = standardKey,
): Verify {
  if (secrets === undefined && publicKeys === undefined) {
    throw new TypeError(`${name}: it needs secrets, or publicKeys, to verify what comes.`);
  }
  const window = { toleranceSeconds, now };
  const signed = (version: string) => (args: AuthenticatorArguments) => signedContent(args, version, window);
  const verifiers: Verify[] = [];
  if (secrets !== undefined) {
    verifiers.push(hmacVerifier({ source: name, secrets, keyOf, encoding: "base64", signed: signed("v1") }));
  }
  if (publicKeys !== undefined) {
    const decode = signatureDecoder("base64", 64);
    verifiers.push(
      publicKeyVerifier({ keys: ed25519Keys(publicKeys), algorithm: null, decode, signed: signed("v1a") }),
    );
  }
  const [first, second] = verifiers as [Verify, Verify?];
  if (!second) return first;
  return async (args) => {
    try {
      await first(args);
    } catch (error) {
      if ((error as { status?: unknown }).status !== 401) throw error;
      await second(args);
    }
  };
}

function signedContent({ request }: AuthenticatorArguments, version: string, window: TimeWindow): Signed {
  const id = familyField(request, "id");
  const timestamp = familyField(request, "timestamp");
  // "id.timestamp.body" would be read in two ways if the id held a dot.
  if (id.includes(".")) throw unauthorized("The delivery id holds a dot.");
  checkTime(timestamp, window);
  const signatures = familyField(request, "signature")
    .split(" ")
    .flatMap((one) => (one.startsWith(`${version},`) ? one.slice(version.length + 1) : []));
  return { signatures, before: `${id}.${timestamp}.` };
}

/** The name of a field in one of the two families: Svix sends both, and means its own. */
function familyName({ headers }: IncomingMessage, name: string): string {
  const svix = `svix-${name}`;
  return headers[svix] === undefined ? `webhook-${name}` : svix;
}

/** Reads the id that was verified: of the same family, whatever the other one says. */
export function standardDeliveryId({ request }: { readonly request: IncomingMessage }): string | undefined {
  return fieldReader(familyName(request, "id"))({ request });
}

function familyField(request: IncomingMessage, name: string): string {
  return oneField(request, familyName(request, name));
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** The key of a secret. @throws TypeError for what is not base64 of 24 to 64 octets. */
export function standardKey(secret: string | Buffer): Buffer {
  if (Buffer.isBuffer(secret)) return secret;
  const base64 = secret.replace(/^whsec_/, "");
  const key = Buffer.from(base64, "base64");
  if (BASE64.test(base64) && key.length >= 24 && key.length <= 64) return key;
  throw new TypeError(
    "secrets: a secret of Standard Webhooks is whsec_ and base64 of 24 to 64 octets; paste it whole.",
  );
}

function ed25519Keys(publicKeys: readonly (string | undefined)[]): readonly KeyObject[] {
  if (!Array.isArray(publicKeys) || publicKeys.length === 0) {
    throw new TypeError(`publicKeys: ${shown(publicKeys)} is not a list of at least one key.`);
  }
  return publicKeys.map((key: unknown) => {
    if (typeof key !== "string" || key === "") throw new TypeError("publicKeys: a key is missing or empty.");
    const base64 = key.replace(/^whpk_/, "");
    if (!BASE64.test(base64))
      throw new TypeError("publicKeys: a key is whpk_ and base64 of 32 octets; paste it whole.");
    return ed25519Key(Buffer.from(base64, "base64"));
  });
}
