/**
 * What every provider keeps that follows Standard Webhooks under a name of its own.
 *
 * @module
 */
import { Webhook } from "standardwebhooks";
import type { Source } from "express-webhook-node";
import { hmacOf, type SignedDelivery, type SignOptions } from "express-webhook-node/testing/signed";
import { againstSdk, standardDifferences, type SdkContract } from "./against-sdk";
import { sourceContract } from "./contract";

export type Family = "webhook" | "svix";

export type LikeStandardWebhooks = {
  readonly name: string;
  readonly source: (options: never) => Source;
  readonly sign: (
    payload: unknown,
    options: SignOptions & { readonly deliveryId?: string | undefined },
  ) => SignedDelivery;
  /** The header fields that the provider sends. */
  readonly family: Family;
  readonly payload: unknown;
  readonly eventType: string;
  /** Options that are wrong, but for those of all sources and a malformed secret. */
  readonly wrongOptions?: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  /** The provider's library. Where it only verifies, `standardwebhooks` signs. */
  readonly sdk: Pick<SdkContract, "sdk" | "verifies"> & Partial<SdkContract>;
};

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";

/** Runs the tests of a provider whose secrets are those of Standard Webhooks. */
export function likeStandardWebhooks(provider: LikeStandardWebhooks): void {
  const { name, source, sign, family, payload, eventType, sdk } = provider;
  const proof = ["id", "timestamp", "signature"].map((part) => `${family}-${part}`);
  const body = Buffer.from(JSON.stringify(payload));

  sourceContract({
    name,
    source,
    options: { secrets: [SECRET] },
    otherKeys: { secrets: [OTHER] },
    sign: (value, { now }) => sign(value, { secret: SECRET, deliveryId: ID, now }),
    signTime(time) {
      const key = Buffer.from(SECRET.slice(6), "base64");
      const signature = `v1,${hmacOf(key, [`${ID}.${time}.`, body], { encoding: "base64" })}`;
      return {
        headers: { [`${family}-id`]: ID, [`${family}-timestamp`]: time, [`${family}-signature`]: signature },
        body,
      };
    },
    payload,
    messages: [{ deliveryId: ID, eventType }],
    provenance: { deliveryId: "signed", eventType: "signed" },
    proof,
    harmless: ({ field, original, mutated }) => field.endsWith("-signature") && mutated.split(" ").includes(original),
    toleranceSeconds: 300,
    wrongOptions: provider.wrongOptions ?? [
      ["a secret that is not base64", { secrets: [`${SECRET}!`] }],
      ["a secret that is too short", { secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa"] }],
      ["public keys", { publicKeys: ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="] }],
    ],
  });

  againstSdk({
    source: source({ secrets: [SECRET] } as never),
    sign: ({ isOther, now } = {}) => sign(payload, { secret: isOther ? OTHER : SECRET, now }),
    sdkSigns: () => signedByLibrary(SECRET, body, family),
    proof,
    isTimed: true,
    differs: standardDifferences(family),
    ...sdk,
  });
}

/** A delivery that the library of Standard Webhooks has signed just now. */
export function signedByLibrary(secret: string, body: Buffer, family: Family): SignedDelivery {
  const now = new Date();
  return {
    headers: {
      [`${family}-id`]: ID,
      [`${family}-timestamp`]: String(Math.floor(now.getTime() / 1000)),
      [`${family}-signature`]: new Webhook(secret).sign(ID, now, body.toString()),
    },
    body,
  };
}

/** Makes a verdict of a verifier that throws. */
export async function isAccepted(verify: () => unknown): Promise<boolean> {
  try {
    await verify();
    return true;
  } catch {
    return false;
  }
}
