/**
 * Sends as Microsoft Graph does.
 *
 * @module
 */
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignMicrosoftGraphOptions = {
  /** The subscription's `clientState`, as the receiver has it. */
  readonly clientState: string;
};

/**
 * Makes a delivery of notifications: an array, or a single one, each with the `clientState` in it. Text and octets are sent as
 * they are.
 */
export function signMicrosoftGraph(payload: SignPayload, { clientState }: SignMicrosoftGraphOptions): SignedDelivery {
  const isText = typeof payload === "string" || Buffer.isBuffer(payload);
  const value = [payload].flat().map((item) => ({ ...(item as object), clientState }));
  return {
    headers: { "content-type": "application/json; charset=utf-8" },
    body: octetsOf(isText ? payload : { value }),
  };
}
