/**
 * Fetches a set of public keys (JWKS, RFC 7517) within bounds, for `jose` to cache.
 *
 * @module
 */

/** Largest key set that is read: those of large providers, certificates included, have about 20 KiB. */
const MAX_BYTES = 262_144;
/** How long a failure is remembered, so that a key server that is down is not asked by each delivery. */
const FAILURE_MS = 1000;

export type FetchKeys = (url: string, init: RequestInit) => Promise<Response>;

/** Creates a `fetch` that fails on a key set that is too large, and at once for a moment after it has failed. */
export function fetchKeys(): FetchKeys {
  let failed: { readonly error: unknown; readonly until: number } | undefined;

  return async function fetchKeys(url, init) {
    if (failed && performance.now() < failed.until) throw failed.error;
    try {
      const response = await fetch(url, init);
      if (response.status !== 200) throw new Error(`The key server has answered ${response.status}.`);
      const octets = await readBounded(response);
      failed = undefined;
      return new Response(octets, { status: 200 });
    } catch (error) {
      failed = { error, until: performance.now() + FAILURE_MS };
      throw error;
    }
  };
}

async function readBounded({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    if (received > MAX_BYTES) throw new Error(`The key set is larger than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Holds the address of a key set to one that nobody on the way can answer for. @throws TypeError at start. */
export function checkJwksUrl(jwksUrl: string | URL): URL {
  const url = URL.canParse(String(jwksUrl)) ? new URL(String(jwksUrl)) : undefined;
  const isLoopback = url !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback))) return url;
  throw new TypeError("jwksUrl: it is not an https URL; over http anybody on the way could put in keys of their own.");
}
