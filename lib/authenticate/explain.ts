/**
 * Finds out why a signature did not match, off the path of the request: the commonest question there is about webhooks.
 *
 * It tries the mistakes that people make, one at a time, with the secrets it has. What fits is told to whoever runs the
 * node; the sender sees 401, whatever it was.
 *
 * @module
 */
import type { Guess, Signed } from "./signed";

/** What is known of a signature that did not match. */
export type Mismatch<Key, Form> = {
  readonly octets: Buffer;
  readonly keys: readonly Guess<Key>[];
  /** What the header fields say, and what they would say if the URL were another. */
  readonly signed: readonly Guess<Signed>[];
  /** The ways in which a signature may be written. */
  readonly forms: readonly Guess<Form>[];
  /** Whether a signature fits. */
  readonly fits: (key: Key, octets: Buffer, signed: Signed, form: Form) => boolean;
};

/** Bodies beyond this size are not tried: hashing them over and over would hold up others. */
const MAX_BYTES = 262_144;

/** Tells in a sentence or two what fits the signature, and how to mend it. */
export function explainMismatch<Key, Form>({ octets, keys, signed, forms, fits }: Mismatch<Key, Form>): string {
  if (octets.length > MAX_BYTES) return `The body is larger than ${MAX_BYTES} bytes; send a smaller one to find out.`;
  for (const [body, key, content, form] of oneOrTwoWrong(bodyGuesses(octets), keys, signed, forms)) {
    if (!fits(key.value, body.value, content.value, form.value)) continue;
    return [body.why, key.why, content.why, form.why].filter(Boolean).join(" ");
  }
  return "None of the usual mistakes fits: most likely it was signed with another secret or key than the node has.";
}

/** All combinations in which at most two things are wrong: more would be a search, and not an explanation. */
function* oneOrTwoWrong<A, B, C, D>(
  as: readonly Guess<A>[],
  bs: readonly Guess<B>[],
  cs: readonly Guess<C>[],
  ds: readonly Guess<D>[],
): Generator<[Guess<A>, Guess<B>, Guess<C>, Guess<D>]> {
  for (const wrong of [1, 2]) {
    for (const a of as)
      for (const b of bs)
        for (const c of cs)
          for (const d of ds) {
            if ([a, b, c, d].filter(({ why }) => why !== "").length === wrong) yield [a, b, c, d];
          }
  }
}

export type KeysKnown = {
  /** The node's secrets as they were given. */
  readonly secrets: readonly (string | Buffer)[];
  readonly keyOf: (secret: string | Buffer) => string | Buffer;
  /** Secrets that should not have signed, by what they are: an old one, that of the test mode. */
  readonly otherSecrets: Readonly<Record<string, string>>;
};

/** Keys that may have been meant, by the mistakes that are made with secrets. */
export function keyGuesses({ secrets, keyOf, otherSecrets }: KeysKnown): Guess<string | Buffer>[] {
  const guesses: Guess<string | Buffer>[] = [];
  const add = (why: string, make: () => string | Buffer): void => {
    // What is no secret of this provider's form has no key, and is no guess.
    try {
      const value = make();
      if (value.length > 0) guesses.push({ value, why });
    } catch {}
  };
  for (const secret of secrets) {
    add("", () => keyOf(secret));
    if (typeof secret !== "string") continue;
    const bare = secret.replace(/^whsec_/, "");
    const decoded = Buffer.from(bare, "base64");
    add("The secret has white space around it: take it away.", () => keyOf(secret.trim()));
    add("The secret was used as it stands: this provider's keys are not decoded.", () => secret);
    add("The prefix whsec_ is not part of this provider's secret: take it away.", () => bare);
    add('The secret is base64, and its decoded octets are the key: pass Buffer.from(secret, "base64").', () => decoded);
    add("The secret was encoded twice: decode it once before you pass it.", () =>
      Buffer.from(decoded.toString("latin1"), "base64"),
    );
    add('The secret is hex, and its decoded octets are the key: pass Buffer.from(secret, "hex").', () =>
      Buffer.from(secret, "hex"),
    );
  }
  for (const [label, secret] of Object.entries(otherSecrets)) {
    add(`It was signed with the secret that diagnose knows as ${JSON.stringify(label)}.`, () => keyOf(secret));
  }
  return guesses;
}

function bodyGuesses(octets: Buffer): Guess<Buffer>[] {
  const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
  const text = octets.toString();
  const changed = "Something between the sender and the node has changed the body:";
  const guesses: Guess<Buffer>[] = [{ value: octets, why: "" }];
  const add = (value: Buffer | undefined, what: string): void => {
    if (value && !value.equals(octets)) guesses.push({ value, why: `${changed} ${what}.` });
  };
  add(Buffer.from(`${text}\n`), "it has lost a line feed at its end");
  add(Buffer.from(`${text}\r\n`), "it has lost CR and LF at its end");
  add(Buffer.from(text.replace(/\r?\n$/, "")), "a line feed was put at its end");
  add(Buffer.from(text.trim()), "white space was put around it");
  add(
    octets.subarray(0, 3).equals(BOM) ? octets.subarray(3) : Buffer.concat([BOM, octets]),
    "a byte order mark was put before it, or taken away",
  );
  add(Buffer.from(text.replace(/\r\n/g, "\n")), "line feeds were made CR and LF");
  add(Buffer.from(text.replace(/\r?\n/g, "\r\n")), "CR and LF were made line feeds");

  const anew =
    "the JSON was parsed and written anew, perhaps by a proxy or by middleware that sets req.rawBody; pass on the octets";
  for (const write of [compact, indented, spaced, escaped, unescaped]) add(rewritten(text, write), anew);
  return guesses;
}

const compact = (value: unknown): string => JSON.stringify(value);
const indented = (value: unknown): string => JSON.stringify(value, null, 2);
/** As Python's json.dumps writes it. */
const spaced = (value: unknown): string =>
  escaped(
    value,
    JSON.stringify(value, null, 1)
      .replace(/\n */g, " ")
      .replace(/([[{]) | ([\]}])/g, "$1$2"),
  );
/** As PHP's json_encode writes it. */
const unescaped = (value: unknown): string => escaped(value).replaceAll("/", "\\/");

function escaped(value: unknown, json = JSON.stringify(value)): string {
  return json.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function rewritten(text: string, write: (value: unknown) => string): Buffer | undefined {
  try {
    return Buffer.from(write(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

/** Encodings of a signature. */
export function encodingGuesses(encoding: "hex" | "base64"): Guess<"hex" | "base64" | "base64url">[] {
  const all = ["hex", "base64", "base64url"] as const;
  return all.map((value) => ({
    value,
    why:
      value === encoding ? "" : `The signature is written in ${value} instead of ${encoding}: mend it at the sender.`,
  }));
}
