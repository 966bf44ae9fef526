/**
 * Makes a source: what one provider signs, asks, calls its deliveries, and understands as an answer.
 *
 * @module
 */
import type { AuthenticatorArguments, Source } from "../authenticate/authenticator";
import { AuthCredentials, SimpleUser } from "../authenticate/credentials";
import { checkFunction, checkOptions, positiveInteger, shown, text } from "../request/options";
import type { DeliveryFacts, SourceAnswer, SourceTraits } from "../request/source";

/** Verifies one delivery. It throws an `HTTPException` with status 401 where a proof is missing or wrong. */
export type Verify = (args: AuthenticatorArguments) => void | Promise<void>;

/** A provider's traits, and how its deliveries are verified. */
export type SourceDefinition<Event = unknown> = SourceTraits<Event> & {
  readonly verify: Verify;
};

/** What every source can be told. */
export type SourceOptions = {
  /** Event types that are emitted. All others are answered as a success, and not emitted. Excludes `ignore`. */
  readonly only?: readonly string[] | undefined;
  /** Event types that are answered as a success, and not emitted. */
  readonly ignore?: readonly string[] | undefined;
};

/** What every source that checks a time can be told. */
export type TimedSourceOptions = SourceOptions & {
  /** How far the time of a signature may be from ours, in seconds, in both directions. */
  readonly toleranceSeconds?: number | undefined;
  /**
   * The clock, in milliseconds since 1970: for tests.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: (() => number) | undefined;
};

const WORDS = [
  "name",
  "verify",
  "accepts",
  "handshake",
  "payloadOf",
  "reply",
  "split",
  "deliveryId",
  "eventType",
  "provenance",
  "success",
  "refusal",
];

/**
 * Creates a source of a definition: the ready-made ones are made so, and yours can be.
 *
 * @throws TypeError at start, for a definition without a name or `verify`, and for any wrong word.
 *
 * @example
 * ```ts
 * const acme = (secrets: Secrets) => defineSource({
 *   name: "acme",
 *   verify: hmacVerifier({
 *     source: "acme",
 *     secrets,
 *     signed: ({ request }) => ({ signatures: [oneField(request, "X-Acme-Signature")] }),
 *   }),
 *   deliveryId: ({ payload }) => textMember(payload, "id"),
 * });
 * ```
 */
export function defineSource<Event = unknown>(
  definition: SourceDefinition<Event>,
  { only, ignore, toleranceSeconds, now }: TimedSourceOptions = {},
): Source<Event> {
  checkOptions("defineSource", definition, WORDS);
  const { verify, ...traits } = definition;
  const name = text("name", definition.name);
  checkFunction("verify", verify);
  if (toleranceSeconds !== undefined) positiveInteger("toleranceSeconds", toleranceSeconds);
  if (now !== undefined) checkFunction("now", now);
  const isWanted = eventFilter(only, ignore);
  const pair = [new AuthCredentials(), new SimpleUser(name)] as const;

  const wants = isWanted && ((facts: DeliveryFacts<Event>): boolean => isWanted(traits.eventType?.(facts)));
  const reply = (facts: DeliveryFacts<Event>): SourceAnswer | undefined => {
    const own = traits.reply?.(facts);
    if (own || !wants || traits.split?.(facts.payload, facts)) return own;
    return wants(facts) ? undefined : {};
  };
  // Of a delivery that holds several events, each is wanted or not by itself.
  const split: typeof traits.split =
    traits.split &&
    wants &&
    ((payload, facts) => traits.split?.(payload, facts)?.filter((item) => wants({ ...facts, payload: item })));
  return Object.freeze({
    ...traits,
    ...(split && { split }),
    ...(wants && { wants }),
    ...((traits.reply || wants) && { reply }),
    authenticator: async (args: AuthenticatorArguments) => {
      await verify(args);
      return pair;
    },
  });
}

function eventFilter(
  only: readonly string[] | undefined,
  ignore: readonly string[] | undefined,
): ((eventType: string | undefined) => boolean) | undefined {
  if (only !== undefined && ignore !== undefined) throw new TypeError("only and ignore exclude each other.");
  for (const [word, list] of Object.entries({ only, ignore })) {
    if (list === undefined || (Array.isArray(list) && list.every((type) => typeof type === "string"))) continue;
    throw new TypeError(`${word}: ${shown(list)} is not a list of event types.`);
  }
  const types = new Set<string | undefined>(only ?? ignore);
  if (only) return (type) => types.has(type);
  return ignore && ((type) => !types.has(type));
}
