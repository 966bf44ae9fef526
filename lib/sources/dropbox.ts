/**
 * Source: Dropbox. https://www.dropbox.com/developers/reference/webhooks
 *
 * @module
 */
import type { Source } from "../authenticate/authenticator";
import type { Secrets } from "../authenticate/secrets";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions } from "./define-source";
import { oneField } from "./facts";
import { hmacVerifier } from "./hmac-verifier";

export type DropboxOptions = SourceOptions & {
  /** The app secrets. */
  readonly secrets: Secrets;
};

/**
 * Creates the source of Dropbox's webhooks: the body is signed, without a time, so that a delivery can be replayed. The
 * handshake by GET is answered with its challenge; nothing signs it, and the answer says nothing else.
 *
 * A notification lists the accounts in which something has changed; what it was is asked of Dropbox's API. There is no
 * delivery id; the event type is the name of that list, `list_folder`. Dropbox waits 10 seconds for the answer to the
 * handshake, and sends a notification again for about ten minutes that is not answered with 200.
 *
 * @throws TypeError at start, for a missing or empty secret.
 */
export function dropbox<Event = unknown>(options: DropboxOptions): Source<Event> {
  checkOptions("dropbox", options, ["secrets", "only", "ignore"]);
  const { secrets } = options;

  return defineSource<Event>(
    {
      name: "dropbox",
      verify: hmacVerifier({
        source: "dropbox",
        secrets,
        signed: ({ request }) => ({ signatures: [oneField(request, "X-Dropbox-Signature")] }),
      }),
      accepts: { deadlineMs: 9_000 },
      handshake({ request, query }) {
        if (request.method !== "GET" || !query.has("challenge")) return undefined;
        const [challenge, ...others] = query.getAll("challenge");
        return challenge && others.length === 0 ? { text: challenge } : { status: 400 };
      },
      eventType: ({ payload }) => LISTS.find((name) => isObject(payload) && Object.hasOwn(payload, name)),
      provenance: { eventType: "signed" },
    },
    options,
  );
}

/** What notifications list; `delta` is that of the API before version 2, which may come beside the other. */
const LISTS = ["list_folder", "delta"];

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
