/**
 * Makes what is kept of a delivery that was refused.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { DeliveryRecord } from "./delivery";
import { octetsReadBefore } from "./read-before";
import type { RefusedDelivery } from "./refused-delivery";
import type { Refusal } from "./refusal";

/** Keeps deliveries that were refused, such as `quarantine({ folder })` of `express-webhook-node/emit/quarantine`. */
export type QuarantinePort = {
  /** No answer waits for what it returns; a rejection is logged. The octets count as in flight until it settles. */
  readonly keep: (refused: RefusedDelivery) => unknown;
};

/** The field by which a delivery that comes from a quarantine is known: it is there already, and not kept once more. */
export const REPLAY_FIELD = "x-webhook-replay";

export function isReplay({ headers }: IncomingMessage): boolean {
  return headers[REPLAY_FIELD] !== undefined;
}

/** A delivery as it was received. Its body is there if it had arrived by then: nothing is waited for. */
export function refusedDelivery(record: DeliveryRecord, { outcome }: Refusal): RefusedDelivery {
  const { request, source, surroundings, receivedAt } = record;
  const { status, code, detail } = outcome;
  const { deliveryId, eventType } = record.outcome ?? {};
  // What a parser has read before is not coded any more.
  const before = octetsReadBefore(request);
  const octets = before ?? arrived(record);
  return {
    node: surroundings.name,
    ...(source && { source: source.name }),
    status,
    ...(code !== undefined && { code }),
    ...(detail !== undefined && { detail }),
    ...(deliveryId !== undefined && { deliveryId }),
    ...(eventType !== undefined && { eventType }),
    method: request.method ?? "",
    target: (request as { originalUrl?: string }).originalUrl ?? request.url ?? "",
    rawHeaders: before ? withoutCodings(request.rawHeaders) : request.rawHeaders,
    octets: octets ?? Buffer.alloc(0),
    isWhole: octets !== undefined,
    receivedAt,
  };
}

function withoutCodings(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== "content-encoding");
}

function arrived(record: DeliveryRecord): Buffer | undefined {
  try {
    return record.body.arrived();
  } catch {
    // It was refused because nothing can be read of it, such as one in an unknown coding.
    return undefined;
  }
}
