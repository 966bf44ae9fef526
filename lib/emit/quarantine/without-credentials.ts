/**
 * Leaves out of a request what must not be kept: the sender's passwords, tokens and keys. Signatures stay, for they prove one
 * delivery alone, and are needed to verify it again.
 *
 * @module
 */

/** Words that make a name that of a credential, wherever they stand in it. */
const WORDS = new Set(
  "authorization cookie cookie2 token tokens secret secrets password passwd pwd passphrase credential credentials jwt bearer session sessionid apikey accesskey assertion".split(
    " ",
  ),
);
/** Words before a last `key` that make it a credential. `Idempotency-Key` and Bitbucket's `X-Event-Key` are none. */
const KEYS = new Set(
  "api app application access account admin auth client consumer function functions master private secret service shared subscription user x".split(
    " ",
  ),
);
/** Names that none of this tells. Flutterwave sends its secret as `verif-hash`. */
const NAMES = new Set(["auth", "key", "x-auth", "verif-hash"]);

/** Whether a header field or a query parameter holds a credential, as far as its name tells. */
export function isCredential(name: string): boolean {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
  const words = plain.split(/[^a-z0-9]+/);
  if (NAMES.has(plain)) return true;
  if (words.includes("signature")) return false;
  return words.some((word) => WORDS.has(word)) || (words.at(-1) === "key" && KEYS.has(words.at(-2) ?? ""));
}

/** Field lines, names and values by turns, without those that hold a credential or are named in `others` (lower case). */
export function fieldsWithoutCredentials(rawHeaders: readonly string[], others: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!isCredential(name) && !others.has(name.toLowerCase())) kept.push(name, rawHeaders[at + 1] as string);
  }
  return kept;
}

/** A request target as path and query, without what credentials the query has. RFC 9112 section 3.2. */
export function targetWithoutCredentials(target: string): string {
  // The absolute form may name any host, and a user.
  const origin = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const at = origin.indexOf("?");
  if (at < 0) return origin || "/";
  const parameters = origin
    .slice(at + 1)
    .split("&")
    .map((parameter) => {
      const [name = ""] = parameter.split("=", 1);
      return isCredential(decoded(name)) ? `${name}=` : parameter;
    });
  return `${origin.slice(0, at) || "/"}?${parameters.join("&")}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
