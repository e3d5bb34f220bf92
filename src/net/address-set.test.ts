import { describe, expect, test } from "bun:test";
import { parseAddress } from "./address.ts";
import { addressSet, anyAddress, noAddress } from "./address-set.ts";
import { parseCidr } from "./cidr.ts";

const setOf = (...texts: readonly string[]): ReturnType<typeof addressSet> =>
  addressSet(texts.map(parseCidr).filter((cidr) => cidr !== undefined));

describe("addressSet", () => {
  const set = setOf("10.0.0.0/8", "10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108");
  test.each([
    ["9.255.255.255", false],
    ["10.0.0.0", true],
    ["10.1.2.3", true],
    ["10.255.255.255", true],
    ["11.0.0.0", false],
    ["192.0.2.6", false],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["172.16.0.1", true],
    ["172.32.0.0", false],
    ["::ffff:10.0.0.1", true],
    ["2001:db8::", true],
    ["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2001:db9::", false],
    ["::a00:1", false],
    ["unknown", false],
    ["", false],
  ])("%p: %p", (text, isIn) => {
    expect(set.contains(parseAddress(text))).toBe(isIn);
  });

  test("of all of one family has nothing of the other", () => {
    expect(setOf("0.0.0.0/0").contains(parseAddress("255.255.255.255"))).toBe(true);
    expect(setOf("0.0.0.0/0").contains(parseAddress("::1"))).toBe(false);
    expect(setOf("::/0").contains(parseAddress("ffff::"))).toBe(true);
    expect(setOf("::/0").contains(parseAddress("::ffff:1.2.3.4"))).toBe(false);
  });

  test("of nothing is empty", () => {
    expect(addressSet([])).toBe(noAddress);
    expect(noAddress.isEmpty).toBe(true);
    expect(noAddress.contains(parseAddress("127.0.0.1"))).toBe(false);
    expect(set.isEmpty).toBe(false);
  });
});

test("anyAddress has every client, named or not", () => {
  expect(anyAddress.contains(parseAddress("8.8.8.8"))).toBe(true);
  expect(anyAddress.contains(undefined)).toBe(true);
  expect(anyAddress.isEmpty).toBe(false);
});
