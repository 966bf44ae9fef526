/**
 * The URL that a provider signs: as it knows it, which a server behind a proxy cannot tell from the request.
 *
 * @module
 */
import type { WebhookRequest } from "../authenticate/authenticator";
import { shown, text } from "../request/options";

/** A URL as the provider knows it, or a function that tells it of a request. */
export type UrlOption = string | ((request: WebhookRequest) => string);

/** Makes a function that finds the URL of a request. @throws TypeError at start, for anything but an absolute URL or a function. */
export function urlFinder(url: UrlOption): (request: WebhookRequest) => string {
  if (typeof url === "function") return (request) => text("url", url(request));
  if (typeof url !== "string" || !/^https?:\/\/./i.test(url)) {
    throw new TypeError(`url: ${shown(url)} is neither a URL, such as "https://example.com/webhooks", nor a function.`);
  }
  return () => url;
}

/** The query of a request as it came, with its question mark; empty if there is none. */
export function queryOf({ originalUrl, url = "" }: Pick<WebhookRequest, "originalUrl" | "url">): string {
  const target = originalUrl ?? url;
  const at = target.indexOf("?");
  return at === -1 ? "" : target.slice(at);
}

/** URLs that a provider may have signed instead: as the request looks from here, or spelt a little otherwise. */
export function urlGuesses(
  url: string,
  request: WebhookRequest,
): readonly { readonly url: string; readonly why: string }[] {
  const { headers, originalUrl } = request;
  const host = headers["x-forwarded-host"] ?? headers.host ?? "";
  const candidates = ["http", "https"].flatMap((scheme) => {
    const seen = `${scheme}://${String(host)}${originalUrl}`;
    return [
      seen,
      url.replace(/^https?/i, scheme),
      withPort(url.replace(/^https?/i, scheme), scheme === "https" ? 443 : 80),
    ];
  });
  candidates.push(url.endsWith("/") ? url.slice(0, -1) : `${url}/`, url.replace(/^(https?:\/\/[^/:]+):\d+/i, "$1"));
  return [...new Set(candidates)]
    .filter((candidate) => candidate !== url)
    .map((candidate) => ({ url: candidate, why: `It was signed for ${candidate}, and the option url says ${url}.` }));
}

function withPort(url: string, port: number): string {
  return url.replace(/^(https?:\/\/[^/:]+)(?=\/|$)/i, `$1:${port}`);
}
