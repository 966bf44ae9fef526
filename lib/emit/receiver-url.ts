/**
 * Where a message is forwarded to: a URL of one's own, which is trusted, or one that a function tells, which is not.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Message } from "../message";
import { shown } from "../request/options";
import { isPublicAddress, notPublic } from "./public-address";

export type ReceiverUrlOptions = {
  /**
   * Where messages go: one URL, or a function that tells it of each message, as where tenants name their own.
   *
   * What a function returns is not trusted: it must be `https:`, and its host must have a public address, so that nobody
   * reaches what only this server can (server-side request forgery). The address is checked as the connection is made, so a
   * name that changes its address in between gains nothing. `allowedHosts` narrows it down.
   */
  readonly url: string | URL | ((message: Message) => string | URL | Promise<string | URL>);
  /** The hosts that a function's URL may have, with a port where it is not the default one: `hooks.example:8443`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Lets a function's URL be `http:`, too.
   *
   * @defaultValue `false`
   */
  readonly allowHttp?: boolean | undefined;
  /**
   * Lets a function's URL lead to private addresses, too, and to this machine.
   *
   * @defaultValue `false`
   */
  readonly allowPrivateAddresses?: boolean | undefined;
};

export type ReceiverUrl = {
  readonly urlOf: (message: Message) => URL | Promise<URL>;
  /** Whether a connection to a private address must not be made. */
  readonly isGuarded: boolean;
};

const GUARDS = ["allowedHosts", "allowHttp", "allowPrivateAddresses"] as const;

/** Reads where messages go. What is wrong with one's own URL throws at once, with another's for each message. */
export function receiverUrl(options: ReceiverUrlOptions): ReceiverUrl {
  const { url, allowedHosts, allowHttp = false, allowPrivateAddresses = false } = options;
  if (typeof url !== "function") {
    const word = GUARDS.find((guard) => options[guard] !== undefined);
    if (word) throw new TypeError(`${word}: it is for a url that is a function; this one is your own.`);
    const own = parsed(url);
    return { urlOf: () => own, isGuarded: false };
  }
  const hosts = allowedHosts && new Set(allowedHosts.map(hostOf));

  async function urlOf(message: Message): Promise<URL> {
    const theirs = parsed(await (url as (message: Message) => string | URL | Promise<string | URL>)(message));
    const host = theirs.hostname.replace(/^\[|\]$/g, "");
    if (!allowHttp && theirs.protocol !== "https:") {
      throw new Error(`url: ${theirs.origin} is not https:, and allowHttp is false.`);
    }
    if (hosts && !hosts.has(theirs.host)) throw new Error(`url: ${theirs.host} is not among allowedHosts.`);
    // Names are looked up, and checked, as the connection is made.
    if (!allowPrivateAddresses && isIP(host) !== 0 && !isPublicAddress(host)) throw notPublic(host);
    return theirs;
  }
  return { urlOf, isGuarded: !allowPrivateAddresses };
}

function hostOf(host: string): string {
  const url = `https://${host}`;
  if (typeof host === "string" && !/[/?#@\\]/.test(host) && URL.canParse(url)) return new URL(url).host;
  throw new TypeError(`allowedHosts: ${shown(host)} is no host, such as hooks.example or hooks.example:8443.`);
}

function parsed(value: string | URL): URL {
  const url = value instanceof URL || (typeof value === "string" && URL.canParse(value)) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new TypeError(`url: ${shown(value)} is no URL of http: or https:.`);
  if (url.username || url.password) throw new TypeError("url: put its user and password into headers: Authorization.");
  return url;
}
