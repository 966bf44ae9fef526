/**
 * Source: Discord, webhook events and interactions. https://docs.discord.com/developers/events/webhook-events
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import type { Source } from "../authenticate/authenticator";
import { checkOptions, eitherOf, shown } from "../request/options";
import { defineSource, type TimedSourceOptions } from "./define-source";
import { checkTime, memberReader, oneField, textMember } from "./facts";
import { signatureDecoder } from "./hmac-verifier";
import { ed25519Key, publicKeyVerifier } from "./public-key-verifier";

export type DiscordOptions = TimedSourceOptions & {
  /** The public keys of the application: 64 hex digits. */
  readonly publicKeys: readonly (string | undefined)[];
  /**
   * What the endpoint is for: `"events"` are acknowledged with 204. `"interactions"` are answered with
   * `{"type": 5}`, which tells Discord that a message follows, unless the node's `respond` says more.
   *
   * @defaultValue `"events"`
   */
  readonly mode?: "events" | "interactions" | undefined;
};

/**
 * Creates the source of Discord's webhook events or interactions: the time and the body are signed with Ed25519. A PING is
 * signed like all else, and answered as its kind wants it; bad signatures come on purpose, and must be answered 401.
 *
 * Events have no delivery id, and their type is that of the inner event; interactions have an `id`, and a number for a type.
 * Discord waits 3 seconds; it sends events again for ten minutes, then stops sending any to an endpoint that fails too
 * often, and sends interactions once. `toleranceSeconds` is 900 unless told otherwise.
 *
 * @throws TypeError at start, for a key that is missing, empty or malformed.
 */
export function discord<Event = unknown>(options: DiscordOptions): Source<Event> {
  checkOptions("discord", options, ["publicKeys", "mode", "toleranceSeconds", "now", "only", "ignore"]);
  const { publicKeys, mode = "events", toleranceSeconds = 900, now } = options;
  const isEvents = eitherOf("mode", mode, "events", "interactions") === "events";

  return defineSource<Event>(
    {
      name: "discord",
      verify: publicKeyVerifier({
        keys: hexKeys(publicKeys),
        algorithm: null,
        decode: signatureDecoder("hex", 64),
        signed({ request }) {
          const signature = oneField(request, "X-Signature-Ed25519");
          const timestamp = oneField(request, "X-Signature-Timestamp");
          checkTime(timestamp, { toleranceSeconds, now });
          return { signatures: [signature], before: timestamp };
        },
      }),
      accepts: { deadlineMs: 2_500 },
      reply({ payload }) {
        const type = textMember(payload, "type");
        if (isEvents) return type === "0" ? { status: 204 } : undefined;
        return type === "1" ? { body: { type: 1 } } : undefined;
      },
      ...(!isEvents && { deliveryId: memberReader("id") }),
      eventType: isEvents ? memberReader("event", "type") : memberReader("type"),
      provenance: isEvents ? { eventType: "signed" } : { deliveryId: "signed", eventType: "signed" },
      success: isEvents ? { status: 204 } : { body: { type: 5 } },
    },
    options,
  );
}

function hexKeys(publicKeys: readonly (string | undefined)[]): readonly KeyObject[] {
  if (!Array.isArray(publicKeys) || publicKeys.length === 0) {
    throw new TypeError(`publicKeys: ${shown(publicKeys)} is not a list of at least one key.`);
  }
  return publicKeys.map((key: unknown) => {
    if (typeof key !== "string" || key === "") throw new TypeError("publicKeys: a key is missing or empty.");
    if (!/^[0-9a-f]{64}$/i.test(key))
      throw new TypeError("publicKeys: a key of Discord's is 64 hex digits; paste it whole.");
    return ed25519Key(Buffer.from(key, "hex"));
  });
}
