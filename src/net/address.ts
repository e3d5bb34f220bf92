/** The 128 bits of an IPv6 address as four unsigned 32-bit words, most significant first. */
export type V6Words = readonly [number, number, number, number];

/** One IP address. A v4-mapped IPv6 address (RFC 4291, 2.5.5.2) is always held as v4, so that one host has one value. */
export type Address = { readonly kind: "v4"; readonly bits: number } | { readonly kind: "v6"; readonly words: V6Words };

/** "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255": the longest text an address can have, in characters. */
const MAX_TEXT_LENGTH = 45;
const DOT = 46;
const COLON = 58;
const NO_WORDS: V6Words = [0, 0, 0, 0];
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
  const words = parseV6(text);
  if (words === undefined) return undefined;
  return isMapped(words) ? { kind: "v4", bits: words[3] } : { kind: "v6", words };
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

/**
 * The words of an IPv6 address as written (RFC 4291, 2.2), a v4-mapped one included, or undefined. Groups are shifted into four words
 * from the right; at "::" those read so far are set aside at the left. All in numbers, without an array: it is half of a look-up's time.
 */
export function parseV6(text: string): V6Words | undefined {
  if (text.length < 2 || text.length > MAX_TEXT_LENGTH) return undefined;
  let w0 = 0;
  let w1 = 0;
  let w2 = 0;
  let w3 = 0;
  let left = NO_WORDS;
  let count = 0;
  let gap = text.startsWith("::") ? 0 : -1;
  let start = gap === 0 ? 2 : 0;
  let at = start;
  let value = 0;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? (HEX_DIGITS[code] ?? -1) : -1;
    if (digit >= 0) {
      if (at - start === 4) return undefined;
      value = (value << 4) | digit;
      continue;
    }
    if (code === DOT) break;
    if (code !== COLON || at === start || at + 1 === text.length || count === 7) return undefined;
    w0 = (w0 << 16) | (w1 >>> 16);
    w1 = (w1 << 16) | (w2 >>> 16);
    w2 = (w2 << 16) | (w3 >>> 16);
    w3 = (w3 << 16) | value;
    count += 1;
    value = 0;
    if (text.charCodeAt(at + 1) === COLON) {
      if (gap >= 0) return undefined;
      gap = count;
      left = groupsLeft([w0, w1, w2, w3], 8 - count);
      w0 = w1 = w2 = w3 = 0;
      at += 1;
    }
    start = at + 1;
  }
  const isV4Tail = at < text.length;
  const tail = isV4Tail ? parseV4(text.slice(start)) : value;
  if (start < at) count += isV4Tail ? 2 : 1;
  if (tail < 0 || (gap < 0 ? count !== 8 : count > 7)) return undefined;
  if (isV4Tail) return joined(left, [w1, w2, w3, tail]);
  if (start === at) return joined(left, [w0, w1, w2, w3]);
  return joined(left, [
    (w0 << 16) | (w1 >>> 16),
    (w1 << 16) | (w2 >>> 16),
    (w2 << 16) | (w3 >>> 16),
    (w3 << 16) | tail,
  ]);
}

/** The canonical text of an address: dotted IPv4, or RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  return address.kind === "v4" ? formatV4(address.bits) : formatV6(address.words);
}

function isMapped(words: V6Words): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

/** Words moved left by so many groups; zeros follow. */
function groupsLeft(words: V6Words, groups: number): V6Words {
  let [w0, w1, w2, w3] = words;
  for (let group = 0; group < groups; group += 1) {
    w0 = (w0 << 16) | (w1 >>> 16);
    w1 = (w1 << 16) | (w2 >>> 16);
    w2 = (w2 << 16) | (w3 >>> 16);
    w3 <<= 16;
  }
  return [w0, w1, w2, w3];
}

/** What stands left and right of "::", together, as unsigned words. */
function joined(left: V6Words, right: V6Words): V6Words {
  return [
    (left[0] | right[0]) >>> 0,
    (left[1] | right[1]) >>> 0,
    (left[2] | right[2]) >>> 0,
    (left[3] | right[3]) >>> 0,
  ];
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
