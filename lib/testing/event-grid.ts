/**
 * Sends as Azure Event Grid does.
 *
 * @module
 */
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignEventGridOptions = {
  /** The token that the receiver knows, sent in `Authorization`. @defaultValue none, for one in the query of the URL */
  readonly token?: string | undefined;
  /** @defaultValue `"Notification"` */
  readonly kind?: "Notification" | "SubscriptionValidation" | undefined;
};

/** Makes a delivery of events in the schema of Event Grid: a single one becomes an array. */
export function signEventGrid(
  payload: SignPayload,
  { token, kind = "Notification" }: SignEventGridOptions = {},
): SignedDelivery {
  return {
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      "content-type": "application/json; charset=utf-8",
      "aeg-event-type": kind,
    },
    body: octetsOf(
      typeof payload === "object" && !Array.isArray(payload) && !Buffer.isBuffer(payload) ? [payload] : payload,
    ),
  };
}
