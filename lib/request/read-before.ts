/**
 * The octets of a body that a parser above the node has read already, where it kept them.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { WebhookError } from "../errors";

/**
 * Keeps the octets that a body parser has read, so that a node below it can still verify them:
 * `express.json({ verify: keepRawBody })`, for apps that cannot move their parser.
 *
 * Their content codings are undone already, and the parser's own limits apply before the node's.
 */
export function keepRawBody(request: IncomingMessage, _response: unknown, octets: Buffer): void {
  (request as { rawBody?: Buffer }).rawBody = octets;
}

/** What `keepRawBody`, a `verify` hook of the app's own, or `express.raw()` has left: octets with their codings undone. */
export function octetsReadBefore(request: IncomingMessage): Buffer | undefined {
  const { rawBody, body } = request as { rawBody?: unknown; body?: unknown };
  if (Buffer.isBuffer(rawBody)) return rawBody;
  return Buffer.isBuffer(body) ? body : undefined;
}

/** The failure of an app that has let a parser eat the body. It is not the sender's. */
export function bodyConsumed(): WebhookError {
  return new WebhookError("ERR_WEBHOOK_BODY_CONSUMED", "The body was read before the webhook node could read it.", {
    advice:
      "A body parser such as express.json() is mounted above the node and has read the body. Mount the node above the " +
      "parser, or let the parser keep the octets: express.json({ verify: keepRawBody }), or express.raw().",
  });
}
