/**
 * What an HTTP message signature covers (RFC 9421 section 2), and the fields in which it comes (section 4).
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { isInnerList, serializeInnerList, type InnerList } from "structured-headers";
import { oneField, unauthorized } from "./facts";
import { strictDictionary } from "./structured-fields";

/** One signature of a message, as its fields have it. */
export type MessageSignature = {
  readonly proof: Buffer;
  /** Names of components, in their order: `@method`, or a header field in lower case. */
  readonly components: readonly string[];
  /** Parameters such as `created`, each of the type that section 2.3 gives it. */
  readonly created: number | undefined;
  readonly expires: number | undefined;
  readonly nonce: string | undefined;
  readonly alg: string | undefined;
  readonly keyid: string | undefined;
  readonly tag: string | undefined;
  /** The value of `@signature-params`. */
  readonly input: string;
};

/** Each may cost a tenth of a millisecond for each key: a field full of them is refused. */
const MOST_SIGNATURES = 4;

/**
 * Finds the signatures of a request, each with a function that reads it: what one of them lacks says nothing of the others.
 *
 * @throws HTTPException 401 for fields that are missing, malformed or do not fit each other.
 */
export function messageSignatures(request: IncomingMessage): readonly (() => MessageSignature)[] {
  const inputs = strictDictionary(oneField(request, "Signature-Input"));
  const proofs = strictDictionary(oneField(request, "Signature"));
  if (!inputs || !proofs) throw unauthorized("Signature-Input or Signature is not a dictionary in its plain form.");
  if (inputs.size !== proofs.size) throw unauthorized("Signature-Input and Signature have other members.");
  if (inputs.size > MOST_SIGNATURES) throw unauthorized(`There are more than ${MOST_SIGNATURES} signatures.`);
  return [...inputs].map(([label, input]) => {
    const [proof, ...parameters] = proofs.get(label) ?? [];
    if (!isInnerList(input) || !(proof instanceof ArrayBuffer) || parameters[0]?.size !== 0) {
      throw unauthorized("Signature-Input and Signature do not hold a list and octets for each signature.");
    }
    return () => readSignature(input, Buffer.from(proof));
  });
}

function readSignature(input: InnerList, proof: Buffer): MessageSignature {
  const [items, parameters] = input;
  const components = items.map(([name, { size }]) => {
    if (typeof name !== "string") throw unauthorized("A covered component is no string.");
    if (size > 0) throw unauthorized(`Parameters of covered components are not supported: ${name}.`);
    return name;
  });
  // Section 2: each identifier occurs once.
  if (new Set(components).size < components.length) throw unauthorized("A component is covered twice.");
  const parameter = <T>(name: string, isRight: (value: unknown) => value is T): T | undefined => {
    const value: unknown = parameters.get(name);
    if (value === undefined || isRight(value)) return value;
    throw unauthorized(`The parameter ${name} is of another type.`);
  };
  return {
    proof,
    components,
    created: parameter("created", isInteger),
    expires: parameter("expires", isInteger),
    nonce: parameter("nonce", isText),
    alg: parameter("alg", isText),
    keyid: parameter("keyid", isText),
    tag: parameter("tag", isText),
    input: serializeInnerList(input),
  };
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isText = (value: unknown): value is string => typeof value === "string";

/**
 * The octets that are signed (section 2.5). `url` is the whole URL as the sender knows it.
 *
 * @throws HTTPException 401 for a component that is not there, or not known.
 */
export function signatureBase({ components, input }: MessageSignature, request: IncomingMessage, url: string): Buffer {
  const { protocol, host, pathname } = new URL(url);
  const at = url.indexOf("?");
  const query = at === -1 ? "" : url.slice(at).replace(/#.*$/, "");
  const derived: ReadonlyMap<string, string> = new Map([
    ["@method", request.method ?? ""],
    ["@target-uri", `${protocol}//${host}${pathname}${query}`],
    ["@authority", host],
    ["@scheme", protocol.slice(0, -1)],
    ["@request-target", `${pathname}${query}`],
    ["@path", pathname],
    ["@query", query === "" ? "?" : query],
  ]);
  const lines = components.map((name) => {
    const value = name.startsWith("@") ? derived.get(name) : fieldValue(request, name);
    if (value === undefined) throw unauthorized(`The covered component ${name} is not there, or not known.`);
    return `"${name}": ${value}\n`;
  });
  // Node reads the octets of header fields as ISO 8859-1.
  return Buffer.from(`${lines.join("")}"@signature-params": ${input}`, "latin1");
}

/**
 * Section 2.1: all lines of a field, without white space around each, which Node has taken away: `trim()` would take away
 * octets that are part of the value, too. `headers` would leave out some lines.
 */
function fieldValue({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? "");
  }
  return values.length === 0 ? undefined : values.join(", ");
}
