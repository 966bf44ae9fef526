/**
 * Several messages of one delivery.
 *
 * @module
 */
import { WebhookError } from "../errors";
import { notPromised } from "../request/not-promised";
import { positiveInteger, shown } from "../request/options";
import type { DeliveryFacts, SourceTraits } from "../request/source";

export type SplitOptions<Payload = unknown> = {
  /**
   * Makes several messages of one delivery: `true` for each item of a top-level array, or a function from the payload to
   * its items, or to `undefined` for one that is whole. Each has its own tracking id and key; the delivery is acknowledged
   * when all are confirmed.
   *
   * @defaultValue `false`, or as the source has it
   */
  readonly split?: boolean | ((payload: unknown) => readonly Payload[] | undefined) | undefined;
  /**
   * The most messages of one delivery. One that holds more is refused with `ERR_WEBHOOK_BODY_TOO_LARGE` (413): a mebibyte may
   * hold half a million items, each of which costs much more than its two octets.
   *
   * @defaultValue `10_000`
   */
  readonly maxMessages?: number | undefined;
};

type Splitter = (facts: DeliveryFacts, source: SourceTraits | undefined) => readonly unknown[] | undefined;

/** Makes the function that tells a delivery's items. @throws TypeError at start, for a wrong option. */
export function splitter({ split, maxMessages = 10_000 }: SplitOptions): Splitter {
  positiveInteger("maxMessages", maxMessages);
  const own = splitFunction(split);

  return function itemsOf(facts, source) {
    const { payload } = facts;
    const items = notPromised("split", own ? own(payload) : source?.split?.(payload, facts));
    if (items && items.length > maxMessages) {
      throw new WebhookError("ERR_WEBHOOK_BODY_TOO_LARGE", `The delivery holds more than ${maxMessages} items.`, {
        advice: "If the sender is right to send that many at once, raise maxMessages.",
      });
    }
    // A source's own split has left out already what is not wanted.
    if (!items || !own || !source?.wants) return items;
    return items.filter((item) => source.wants?.({ ...facts, payload: item }));
  };
}

function splitFunction(
  split: SplitOptions["split"],
): ((payload: unknown) => readonly unknown[] | undefined) | undefined {
  if (split === undefined) return undefined;
  if (split === true) return (payload) => (Array.isArray(payload) ? (payload as readonly unknown[]) : undefined);
  if (split === false) return () => undefined;
  if (typeof split === "function") return split;
  throw new TypeError(`split: ${shown(split)} is neither true nor false, nor a function.`);
}
