/**
 * A quarantined delivery as a request, to be sent once more.
 *
 * @module
 */
import { REPLAY_FIELD } from "../../request/refused";
import type { RefusedDelivery } from "../../request/refused-delivery";

/** What `fetch(url, init)` takes: `const { url, ...init } = toRequest(delivery, origin)`. */
export type ReplayRequest = {
  readonly url: string;
  readonly method: string;
  readonly headers: [name: string, value: string][];
  /** Absent where the method has none. */
  readonly body?: Buffer;
};

/** Fields of one connection, and those that are made anew. RFC 9110 section 7.6.1. */
const OF_CONNECTION = new Set(
  "connection content-length expect host keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" "),
);

/**
 * Makes a request of a delivery, for the node that has refused it, or another.
 *
 * Credentials were not kept: a node that asks for them needs them added to `headers`. A signature that is bound to a time
 * passes only where the source's tolerance still allows it.
 *
 * It has the field `X-Webhook-Replay`, by which a node knows that it is kept already.
 *
 * @param origin Where the app listens, such as `http://127.0.0.1:3000`. The delivery cannot choose another.
 */
export function toRequest(delivery: RefusedDelivery, origin: string): ReplayRequest {
  const { method, target, rawHeaders, octets } = delivery;
  const url = new URL(origin);
  const at = target.indexOf("?");
  // Set part by part: as a whole, `//host/` would be another host.
  url.pathname = at < 0 ? target : target.slice(0, at);
  url.search = at < 0 ? "" : target.slice(at);

  const lines: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines.push([rawHeaders[index] as string, rawHeaders[index + 1] as string]);
  }
  const named = lines.filter(([name]) => name.toLowerCase() === "connection").flatMap(([, value]) => value.split(","));
  const left = new Set([...OF_CONNECTION, ...named.map((name) => name.trim().toLowerCase())]);
  return {
    url: url.href,
    method,
    headers: [...lines.filter(([name]) => !left.has(name.toLowerCase())), [REPLAY_FIELD, "1"]],
    ...(method !== "GET" && method !== "HEAD" && { body: octets }),
  };
}
