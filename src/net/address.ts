/** The 128 bits of an IPv6 address as four unsigned 32-bit words, most significant first. */
export type V6Words = readonly [number, number, number, number];

/** The same bits as eight groups of 16, as they are written. */
export type V6Groups = Uint16Array;

/** One IP address. A v4-mapped IPv6 address (RFC 4291, 2.5.5.2) is always held as v4, so that one host has one value. */
export type Address = { readonly kind: "v4"; readonly bits: number } | { readonly kind: "v6"; readonly words: V6Words };

/** "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255": the longest text an address can have, in characters. */
const MAX_TEXT_LENGTH = 45;
const DOT = 46;
const COLON = 58;
const GROUPS: V6Groups = new Uint16Array(8);
/** The value of each ASCII character as a hexadecimal digit, or -1: a table, since addresses mix digits and letters unpredictably. */
const HEX_DIGITS: Int8Array = Int8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-f]/i.test(String.fromCharCode(code)) ? Number.parseInt(String.fromCharCode(code), 16) : -1,
);

/**
 * The address a text spells, or undefined. Strict: four decimal octets without leading zeros (RFC 6943, 3.1.1) or RFC 4291, 2.2;
 * no zone id, bracket, port or blank. Linear time.
 */
export function parseAddress(text: string): Address | undefined {
  const bits = parseV4(text);
  if (bits >= 0) return { kind: "v4", bits };
  if (!readV6Groups(text, GROUPS)) return undefined;
  const mapped = mappedV4(GROUPS);
  return mapped < 0 ? { kind: "v6", words: wordsOfGroups(GROUPS) } : { kind: "v4", bits: mapped };
}

/** The 32 bits of a dotted IPv4 address, or -1: for callers that look up many addresses and allocate nothing. */
export function parseV4(text: string): number {
  if (text.length < 7 || text.length > 15) return -1;
  let bits = 0;
  let dots = 0;
  let octet = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0) return -1;
      bits = bits * 256 + octet;
      octet = -1;
      dots += 1;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return dots === 3 && octet >= 0 ? bits * 256 + octet : -1;
}

/** The words of an IPv6 address as written (RFC 4291, 2.2), a v4-mapped one included, or undefined. */
export function parseV6(text: string): V6Words | undefined {
  return readV6Groups(text, GROUPS) ? wordsOfGroups(GROUPS) : undefined;
}

/** The 32 bits of the IPv4 address that is mapped by these groups (RFC 4291, 2.5.5.2), or -1. */
export function mappedV4(groups: V6Groups): number {
  if (groups[5] !== 0xffff) return -1;
  for (let at = 0; at < 5; at += 1) if (groups[at] !== 0) return -1;
  return (groups[6] ?? 0) * 65_536 + (groups[7] ?? 0);
}

/** The four words that eight groups make. */
export function wordsOfGroups(groups: V6Groups): V6Words {
  const word = (at: number): number => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

/**
 * Reads the eight groups of an IPv6 address as written into `groups`; false for any other text, with `groups` overwritten in part. For
 * callers that look up many addresses and allocate nothing.
 */
export function readV6Groups(text: string, groups: V6Groups): boolean {
  const end = text.length;
  if (end < 2 || end > MAX_TEXT_LENGTH) return false;
  let count = 0;
  let gap = text.startsWith("::") ? 0 : -1;
  let start = gap === 0 ? 2 : 0;
  let at = start;
  let value = 0;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? (HEX_DIGITS[code] ?? -1) : -1;
    if (digit >= 0) {
      value = (value << 4) | digit;
      continue;
    }
    if (code === DOT) break;
    if (code !== COLON || at === start || at - start > 4 || at + 1 === end || count === 7) return false;
    groups[count] = value;
    count += 1;
    value = 0;
    if (text.charCodeAt(at + 1) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at += 1;
    }
    start = at + 1;
  }
  if (at < end) {
    const tail = count > 6 ? -1 : parseV4(text.slice(start));
    if (tail < 0) return false;
    groups[count] = tail >>> 16;
    groups[count + 1] = tail & 0xffff;
    count += 2;
  } else if (start < at) {
    if (at - start > 4) return false;
    groups[count] = value;
    count += 1;
  }
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  const missing = 8 - count;
  for (let from = count - 1; from >= gap; from -= 1) groups[from + missing] = groups[from] ?? 0;
  for (let zero = gap; zero < gap + missing; zero += 1) groups[zero] = 0;
  return true;
}

/** The canonical text of an address: dotted IPv4, or RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  return address.kind === "v4" ? formatV4(address.bits) : formatV6(address.words);
}

function formatV4(bits: number): string {
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

function formatV6(words: V6Words): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  const run = longestZeroRun(groups);
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** The first of the longest runs of zero groups: what RFC 5952, 4.2 shortens to "::". */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
