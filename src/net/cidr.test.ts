import { expect, test } from "bun:test";
import { formatAddress } from "./address.ts";
import { addressNumber, parseCidr } from "./cidr.ts";

const cases: readonly (readonly [text: string, block: string])[] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["1.2.3.4", "1.2.3.4/32"],
  ["1.2.3.4/32", "1.2.3.4/32"],
  ["255.255.255.254/31", "255.255.255.254/31"],
  ["::/0", "::/0"],
  ["::1", "::1/128"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
  ["::ffff:0:0/96", "0.0.0.0/0"],
  ["::ffff:1.2.3.4", "1.2.3.4/32"],
];

test.each(cases)("%s", (text, block) => {
  const cidr = parseCidr(text);
  expect(cidr === undefined ? undefined : `${formatAddress(cidr.address)}/${cidr.prefixBits}`).toBe(block);
});

const refused = [
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/08",
  "10.0.0.0/-1",
  "10.0.0.0/8/8",
  "10.0.0.0/255.0.0.0",
  "10.0.0.0/ 8",
  "10.0.0.1/8",
  "128.0.0.0/0",
  "10.0/8",
  "::/129",
  "2001:db8::1/64",
  "::ffff:10.0.0.0/8",
  "::ffff:10.0.0.0/95",
  "fe80::%eth0/10",
  "any",
];

test.each(refused)("refuses %p", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test("numbers addresses", () => {
  expect(addressNumber({ kind: "v4", bits: 0xffffffff })).toBe(0xffffffffn);
  expect(addressNumber({ kind: "v6", words: [0x80000000, 0, 1, 2] })).toBe((1n << 127n) | (1n << 32n) | 2n);
});
