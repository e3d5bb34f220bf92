import { type Address, parseAddress, parseV6 } from "./address.ts";

/** A block of addresses (RFC 4632, RFC 4291, 2.3): those that share the first `prefixBits` bits of `address`, whose other bits are zero. */
export interface Cidr {
  readonly address: Address;
  readonly prefixBits: number;
}

/**
 * The block ADDRESS/BITS spells; a bare address is the block of that one. Undefined when it is neither, or when bits are set behind the
 * prefix (10.0.0.1/8 is a slip of the pen, not 10.0.0.0/8). A v4-mapped block, ::ffff:10.0.0.0/104, is the IPv4 block.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(addressText);
  if (address === undefined) return undefined;
  const width = addressBits(address);
  if (slash < 0) return { address, prefixBits: width };
  const written = parsePrefixBits(text.slice(slash + 1));
  if (written === undefined) return undefined;
  const prefixBits = address.kind === "v4" && parseV6(addressText) !== undefined ? written - 96 : written;
  const inRange = prefixBits >= 0 && prefixBits <= width;
  return inRange && lowBitsAreZero(address, prefixBits) ? { address, prefixBits } : undefined;
}

/** How many bits an address of this family has. */
export function addressBits(address: Address): 32 | 128 {
  return address.kind === "v4" ? 32 : 128;
}

/** The address as one unsigned number, for arithmetic on blocks where speed does not matter. */
export function addressNumber(address: Address): bigint {
  if (address.kind === "v4") return BigInt(address.bits);
  return address.words.reduce((number, word) => (number << 32n) | BigInt(word), 0n);
}

function parsePrefixBits(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : undefined;
}

function lowBitsAreZero(address: Address, prefixBits: number): boolean {
  const hostBits = BigInt(addressBits(address) - prefixBits);
  return addressNumber(address) % (1n << hostBits) === 0n;
}
