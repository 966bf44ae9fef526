/**
 * Finds certificates that deliveries name by a URL, within bounds, and keeps them.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { unavailable } from "../authenticate/unavailable";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type CertificateFinderOptions = {
  /** The name of the source, for whoever reads the log. */
  readonly source: string;
  /** @defaultValue the global `fetch` */
  readonly fetch?: Fetch | undefined;
};

/** Finds the certificate at a URL; `undefined` where the server says that there is none, or sends what is no certificate. */
export type CertificateFinder = (url: string) => Promise<X509Certificate | undefined>;

/** A chain of certificates in PEM has a few KiB. */
const MAX_BYTES = 65_536;
const TIMEOUT_MS = 5000;
/** Strangers can name as many certificates as they like: so many are asked for at a time, and so many are kept. */
const MOST_AT_ONCE = 4;
const MOST_KEPT = 16;
/** How long a failure is remembered, so that a server that is down is not asked by each delivery. */
const FAILURE_MS = 1000;

/**
 * Creates a function that finds certificates. A certificate is fetched once however many deliveries wait for it, and no
 * redirect is followed. The caller holds the URL to the provider's hosts first.
 *
 * The function throws a `WebhookError` `ERR_WEBHOOK_KEYS` (503) where the server cannot be reached.
 */
export function certificateFinder({ source, fetch: fetcher = fetch }: CertificateFinderOptions): CertificateFinder {
  const kept = new Map<string, X509Certificate>();
  const pending = new Map<string, Promise<X509Certificate | undefined>>();
  // Each by its URL: one that a stranger names, and that always fails, must not stand for the others.
  const failures = new Map<string, { readonly cause: unknown; readonly until: number }>();

  async function load(url: string): Promise<X509Certificate | undefined> {
    let pem;
    try {
      pem = await read(await fetcher(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) }));
    } catch (cause) {
      keep(failures, url, { cause, until: performance.now() + FAILURE_MS });
      throw cause;
    }
    const certificate = pem && parsed(pem);
    if (certificate) keep(kept, url, certificate);
    return certificate;
  }

  return async function findCertificate(url) {
    const known = kept.get(url);
    if (known) return known;
    const advice = `${source}: the certificate at ${url} could not be fetched.`;
    let found = pending.get(url);
    if (!found) {
      const failure = failures.get(url);
      if (failure && performance.now() < failure.until) throw unavailable(advice, failure.cause);
      if (pending.size >= MOST_AT_ONCE) throw unavailable(advice, new Error("Too many are being fetched."));
      found = load(url).finally(() => pending.delete(url));
      pending.set(url, found);
    }
    try {
      return await found;
    } catch (cause) {
      throw unavailable(advice, cause);
    }
  };
}

/** Keeps the newest. */
function keep<T>(map: Map<string, T>, url: string, value: T): void {
  map.delete(url);
  const [oldest] = map.keys();
  if (map.size >= MOST_KEPT && oldest !== undefined) map.delete(oldest);
  map.set(url, value);
}

/** Statuses by which a server says that there is no such certificate, however often it is asked. */
const NONE = [400, 401, 403, 404, 410];

async function read(response: Response): Promise<Buffer | undefined> {
  const { status, body } = response;
  if (status !== 200) {
    await body?.cancel();
    if (NONE.includes(status)) return undefined;
    throw new Error(`The server has answered ${status}.`);
  }
  const chunks: Uint8Array[] = [];
  let received = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    if (received > MAX_BYTES) throw new Error(`The certificate is larger than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parsed(pem: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
