/**
 * Connections to public addresses alone, for URLs that a tenant has written: they must not reach what only this machine can.
 *
 * What an address is for is told by `ipaddr.js`, which keeps the registries of IANA: a list of one's own would grow old.
 *
 * @module
 */
import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** RFC 4291 section 2.4, IANA "IPv6 Address Space": all that has been given out as global unicast. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
/** RFC 6052 section 2.1: IPv4 behind a translator, in the last 32 bits. Networks without IPv4 reach it so. */
const TRANSLATED = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/** Whether an address may be anybody's in the internet: not private, not this machine's, not set aside for anything. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  // An IPv4 address mapped into IPv6 is judged as what it is.
  const parsed = ipaddr.process(address.replace(/%.*$/, ""));
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.range() === "unicast";
  if (parsed.match(TRANSLATED)) return isPublicAddress(parsed.toByteArray().slice(12).join("."));
  return parsed.match(GLOBAL_UNICAST) && parsed.range() === "unicast";
}

/** The error of a connection that was not made. */
export function notPublic(host: string): Error {
  return new Error(`${host} has no public address: a URL made of a message must not lead into the own network.`);
}

/**
 * Looks names up as Node does, and lets through public addresses alone. It is asked for each connection, and the connection
 * is made to what it answers, so a name that changes its address in between gains nothing.
 */
export const publicLookup: LookupFunction = (host, options, callback) => {
  const all: LookupOptions & { all: true } = { ...options, all: true };
  lookup(host, all, (error, found: LookupAddress[]) => {
    if (error) return callback(error, []);
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    const [first] = addresses;
    if (!first) return callback(notPublic(host), []);
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
