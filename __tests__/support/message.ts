/**
 * Messages as a node makes them, for tests of emitters.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { EmitContext, Message } from "express-webhook-node";

/** A message with all that one can have. What is given takes the place of its own. */
export function messageOf(given: Partial<Message> = {}): Message {
  const body = given.body ?? given.octets?.toString() ?? '{"order": 7, "name": "Grüße 🎉"}';
  const deliveryId = given.deliveryId ?? randomBytes(8).toString("hex");
  const octets = given.octets ?? Buffer.from(body);
  return Object.freeze({
    trackingId: randomBytes(16).toString("hex"),
    key: createHash("sha256").update(`${deliveryId}\n`).update(octets).digest("hex"),
    node: "orders",
    source: "shop",
    body,
    octets,
    payload: given.payload ?? parsed(body),
    messageType: "echo.json",
    receivedAt: new Date(),
    mediaType: "application/json",
    contentType: "application/json; charset=utf-8",
    sender: { name: "shop", scopes: [] },
    deliveryId,
    eventType: "order.created",
    fields: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-shop": "7" },
    ...given,
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A context whose signal fires after `ms`, or never. */
export function contextOf(ms?: number): EmitContext {
  return { signal: ms === undefined ? new AbortController().signal : AbortSignal.timeout(ms) };
}
