/**
 * The refusal of a keyed hash that does not match, with what explains it once somebody asks.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { AuthenticatorArguments, WebhookRequest } from "./authenticator";
import type { Explain } from "./diagnose";
import { encodingGuesses, explainMismatch, keyGuesses } from "./explain";
import type { HTTPException } from "./http-exception";
import { isEqual } from "./is-equal";
import type { Signed } from "./signed";
import { ADVICE_ON_ABSENCE, unauthorized } from "./unauthorized";

type Keys = readonly (string | Buffer)[];

export type HmacMismatch = {
  /** What the sender is told. */
  readonly detail: string;
  readonly args: AuthenticatorArguments;
  readonly algorithm: string;
  readonly encoding: "hex" | "base64";
  readonly secretsOf: (request: WebhookRequest) => Keys | Promise<Keys>;
  readonly keyOf: (secret: string | Buffer) => string | Buffer;
  readonly signed: Signed;
};

/** Makes the 401. It holds the body for as long as it lives itself. */
export function hmacMismatch(mismatch: HmacMismatch): HTTPException {
  const { detail, args, algorithm, encoding, secretsOf, keyOf, signed } = mismatch;
  const explain: Explain = async (otherSecrets) =>
    explainMismatch({
      octets: await args.body.bytes(),
      keys: keyGuesses({ secrets: await secretsOf(args.request), keyOf, otherSecrets }),
      signed: [{ value: signed, why: "" }, ...(signed.others?.() ?? [])],
      forms: encodingGuesses(encoding),
      fits: (key, octets, { signatures, before = "", after = "" }, form) => {
        const hash = createHmac(algorithm, key).update(before).update(octets).update(after);
        const digest = Buffer.from(hash.digest(form));
        return signatures.some((signature) => isEqual(Buffer.from(signature), digest));
      },
    });
  return Object.assign(unauthorized(detail, ADVICE), { explain });
}

const ADVICE = "Either it was signed with another secret, or the body is not as it was signed.";

/** What a signature of another form looks like, for the log. */
export function adviceOnForm(signature: string): string | undefined {
  if (!signature) return ADVICE_ON_ABSENCE;
  if (/^[0-9a-f]+$/i.test(signature)) {
    return /[A-F]/.test(signature) ? "It is hex in upper case." : "It looks like hex.";
  }
  return /^[\w+/-]+={0,2}$/.test(signature) ? "It looks like base64." : undefined;
}
