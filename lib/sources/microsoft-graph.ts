/**
 * Source: Microsoft Graph. https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
 *
 * @module
 */
import { fingerprint } from "../authenticate/fingerprint";
import type { Source } from "../authenticate/authenticator";
import { secretKeys, type Secrets } from "../authenticate/secrets";
import { isEqual } from "../authenticate/is-equal";
import { checkOptions } from "../request/options";
import { defineSource, type SourceOptions, type Verify } from "./define-source";
import { memberReader, textMember, unauthorized } from "./facts";

export type MicrosoftGraphOptions = SourceOptions & {
  /** The `clientState` of the subscriptions, as it was given when they were created: random texts, which are secrets. */
  readonly clientState: Secrets;
};

/**
 * Creates the source of Microsoft Graph's change notifications and lifecycle notifications. **Nothing is signed:** Graph repeats
 * the subscription's `clientState` in every item of `value`, and each must be right, or the whole delivery is refused.
 *
 * The handshake is a POST with `validationToken` in the query, answered with its text: it says nothing of who asks, and lets
 * nobody in. Each item is a message. Its delivery id is `id`, which lifecycle notifications do not have; its event type is
 * `lifecycleEvent`, such as `reauthorizationRequired`, or `changeType`, such as `created`. The tokens of notifications with
 * resource data (`validationTokens`) stand beside the items, so that they do not come with the messages: a check behind the
 * source, by `allOf`, can read them from `body.json()`, and resource data comes encrypted.
 *
 * Graph waits 10 seconds, wants an answer within 3, and sends again for up to 4 hours. It delays what goes to an endpoint that
 * takes 10 seconds for more than 10 % of its answers, and drops it from 15 % on.
 *
 * @throws TypeError at start, for a `clientState` that is missing or empty.
 */
export function microsoftGraph<Event = unknown>(options: MicrosoftGraphOptions): Source<Event> {
  checkOptions("microsoftGraph", options, ["clientState", "only", "ignore"]);

  return defineSource<Event>(
    {
      name: "microsoft-graph",
      verify: clientStateVerifier(options.clientState),
      accepts: { deadlineMs: 9_000 },
      handshake({ request, query }) {
        if (request.method !== "POST") return undefined;
        const [token, ...others] = query.getAll("validationToken");
        return token && others.length === 0 ? { text: token } : undefined;
      },
      split: (payload) => itemsOf(payload) as readonly Event[] | undefined,
      deliveryId: memberReader("id"),
      eventType: ({ payload }) => textMember(payload, "lifecycleEvent") ?? textMember(payload, "changeType"),
      provenance: { deliveryId: "unsigned", eventType: "unsigned" },
    },
    options,
  );
}

function itemsOf(payload: unknown): readonly unknown[] | undefined {
  if (typeof payload !== "object" || payload === null || !Object.hasOwn(payload, "value")) return undefined;
  const { value } = payload as { readonly value: unknown };
  return Array.isArray(value) ? value : undefined;
}

const ADVICE_ON_ITEMS = "Graph sends its notifications in the list value: is this delivery one of Graph's?";
const ADVICE_ON_STATE = "Is the clientState of every subscription that notifies this endpoint in clientState?";

function clientStateVerifier(clientState: Secrets): Verify {
  const statesOf = secretKeys(clientState, "clientState");

  return async function verifyClientState({ request, body }) {
    const items = itemsOf(await body.json()) ?? [];
    if (items.length === 0) throw unauthorized("The payload has no items in value.", ADVICE_ON_ITEMS);
    const known = (await statesOf(request)).map((state) => fingerprint(state.toString()));
    const isKnown = (item: unknown): boolean => {
      const found = ownText(item, "clientState");
      if (found === undefined) return false;
      const print = fingerprint(found);
      return known.filter((state) => isEqual(print, state)).length > 0;
    };
    // The first wrong one ends it: a stranger can send some 300,000 items, and hashing them all would take seconds.
    if (!items.every(isKnown)) throw unauthorized("clientState does not match in every item.", ADVICE_ON_STATE);
  };
}

/** A member that is text: a number would be another value with the same digits. */
function ownText(item: unknown, name: string): string | undefined {
  const text = textMember(item, name);
  return typeof (item as Readonly<Record<string, unknown>> | null)?.[name] === "string" ? text : undefined;
}
