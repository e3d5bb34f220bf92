import { type Address, formatAddress, parseAddress } from "./address.ts";
import type { AddressSet } from "./address-set.ts";
import { splitHost } from "./host-port.ts";

/** The value of a request header by lower-case name, repeated lines joined with ", " (RFC 9110, 5.3); null when it is not there. */
export type GetHeader = (name: "x-forwarded-for" | "forwarded") => string | null;

/** The token RFC 7239, 6.2 has for a client nobody names: in no address set but `anyAddress`, in no cloud. */
const UNKNOWN_CLIENT = "unknown";

/**
 * The address a request came from, as canonical text. Headers are believed hop by hop from the right, only while the hop before is in
 * `trustedProxies`; the first that is not is the client. What is not an address ends the walk at the hop before it.
 * When both headers are there and name different clients, one of them is not the proxy's: the answer is `UNKNOWN_CLIENT`.
 */
export function clientAddress(peer: string, getHeader: GetHeader, trustedProxies: AddressSet): string {
  if (trustedProxies.isEmpty) return withoutV4Mapping(peer);
  const peerAddress = parseAddress(peer);
  if (peerAddress === undefined) return peer;
  if (!trustedProxies.contains(peerAddress)) return formatAddress(peerAddress);
  const xForwardedFor = getHeader("x-forwarded-for");
  const forwarded = getHeader("forwarded");
  const byXff = xForwardedFor === null ? undefined : walk(peerAddress, xForwardedFor, X_FORWARDED_FOR, trustedProxies);
  const byForwarded = forwarded === null ? undefined : walk(peerAddress, forwarded, FORWARDED, trustedProxies);
  if (byXff !== undefined && byForwarded !== undefined && byXff !== byForwarded) return UNKNOWN_CLIENT;
  return byXff ?? byForwarded ?? formatAddress(peerAddress);
}

/** A listener on "::" shows IPv4 peers as ::ffff:a.b.c.d; one client has one text. */
function withoutV4Mapping(peer: string): string {
  return peer.startsWith("::ffff:") && peer.includes(".") ? peer.slice(7) : peer;
}

/** How a header lists hops: where the last separator at or before an index is, and what address a part names. */
interface HopFormat {
  lastSeparator(value: string, from: number): number;
  address(part: string): Address | undefined;
}

const X_FORWARDED_FOR: HopFormat = {
  lastSeparator: (value, from) => value.lastIndexOf(",", from),
  address: nodeAddress,
};

/** RFC 7239. */
const FORWARDED: HopFormat = {
  lastSeparator: (value, from) => lastUnquoted(value, ",", from),
  address: forwardedFor,
};

/** Reads parts from the right, so that what a client wrote on the left cannot change how a proxy's part reads. */
function walk(peer: Address, value: string, format: HopFormat, trustedProxies: AddressSet): string {
  let last = peer;
  let end = value.length;
  while (end >= 0) {
    const separator = end === 0 ? -1 : format.lastSeparator(value, end - 1);
    const part = trimOws(value.slice(separator + 1, end));
    end = separator;
    if (part === "") continue;
    const hop = format.address(part);
    if (hop === undefined) break;
    last = hop;
    if (!trustedProxies.contains(hop)) break;
  }
  return formatAddress(last);
}

/** The last separator at or before `from` outside quoted strings, or -1. A quote after an odd run of backslashes ends no string. */
function lastUnquoted(value: string, separator: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at >= 0; at -= 1) {
    if (value[at] === '"' && !isEscaped(value, at)) isQuoted = !isQuoted;
    else if (value[at] === separator && !isQuoted) return at;
  }
  return -1;
}

function isEscaped(value: string, at: number): boolean {
  let backslashes = 0;
  while (value[at - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}

/** The address of an element's one `for` parameter (RFC 7239, 4); undefined when it names none, hides it, or is malformed. */
function forwardedFor(element: string): Address | undefined {
  let node: string | undefined;
  for (let end = element.length; end >= 0; ) {
    const separator = end === 0 ? -1 : lastUnquoted(element, ";", end - 1);
    const pair = trimOws(element.slice(separator + 1, end));
    end = separator;
    if (!/^for=/i.test(pair)) continue;
    if (node !== undefined) return undefined;
    node = unquote(pair.slice(4));
    if (node === undefined) return undefined;
  }
  return node === undefined ? undefined : nodeAddress(node);
}

/** A token or quoted string (RFC 9110, 5.6.4). Escapes stay: no address has any, so it is refused as one. */
function unquote(value: string): string | undefined {
  if (!value.startsWith('"')) return value;
  return value.length >= 2 && value.endsWith('"') ? value.slice(1, -1) : undefined;
}

/** ADDRESS with or without a port, which may be obfuscated (RFC 7239, 6): `1.2.3.4:80`, `[2001:db8::1]:_p`, bare IPv6. */
function nodeAddress(node: string): Address | undefined {
  const split = splitHost(node);
  if (split === undefined) return undefined;
  if (split.port !== undefined && !/^(?:[0-9]{1,5}|_[A-Za-z0-9._-]{1,64})$/.test(split.port)) return undefined;
  return parseAddress(split.host);
}

function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start += 1;
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 32 || code === 9;
}
