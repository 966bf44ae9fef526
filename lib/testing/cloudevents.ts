/**
 * Sends CloudEvents as the HTTP protocol binding has it.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { octetsOf, type SignedDelivery, type SignPayload } from "./signed";

export type SignCloudEventsOptions = {
  /** The token that the receiver knows. @defaultValue none */
  readonly token?: string | undefined;
  /** @defaultValue `"structured"` */
  readonly mode?: "structured" | "binary" | "batch" | undefined;
  /** The event's `id`. @defaultValue a random UUID */
  readonly deliveryId?: string | undefined;
  /** @defaultValue `"com.example.event"` */
  readonly type?: string | undefined;
  /** @defaultValue `"/"` */
  readonly source?: string | undefined;
};

/**
 * Makes a CloudEvent whose data is the payload. In batch mode the payload is an array, and each item becomes an event: the
 * first has the id.
 */
export function signCloudEvents(
  payload: SignPayload,
  {
    token,
    mode = "structured",
    deliveryId = randomUUID(),
    type = "com.example.event",
    source = "/",
  }: SignCloudEventsOptions,
): SignedDelivery {
  const eventOf = (data: unknown, id: string) => ({ specversion: "1.0", id, source, type, data });
  const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  if (mode === "binary") {
    return {
      headers: {
        ...authorization,
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": encodeURIComponent(deliveryId),
        "ce-source": encodeURIComponent(source),
        "ce-type": encodeURIComponent(type),
      },
      body: octetsOf(payload),
    };
  }
  const content =
    mode === "batch"
      ? (payload as readonly unknown[]).map((data, index) => eventOf(data, index === 0 ? deliveryId : randomUUID()))
      : eventOf(payload, deliveryId);
  return {
    headers: {
      ...authorization,
      "content-type": mode === "batch" ? "application/cloudevents-batch+json" : "application/cloudevents+json",
    },
    body: octetsOf(content),
  };
}
