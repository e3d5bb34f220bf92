import { expect, test } from "bun:test";
import { parseAddress } from "../net/address.ts";
import { addressSet } from "../net/address-set.ts";
import { parseCidr } from "../net/cidr.ts";
import { defaultClients } from "./defaults.ts";

const inForce = addressSet(defaultClients.flatMap((text) => parseCidr(text) ?? []));

test.each([
  ["127.0.0.1", true],
  ["127.255.255.255", true],
  ["::1", true],
  ["10.0.0.1", true],
  ["172.16.0.1", true],
  ["172.15.255.255", false],
  ["172.31.255.255", true],
  ["172.32.0.0", false],
  ["192.168.1.1", true],
  ["192.169.0.0", false],
  ["fd00::1", true],
  ["fe00::1", false],
  ["169.254.1.1", false],
  ["100.64.0.1", false],
  ["8.8.8.8", false],
  ["::", false],
  ["::2", false],
  ["2001:4860:4860::8888", false],
])("the default clients have %s: %p", (text, isIn) => {
  expect(inForce.contains(parseAddress(text))).toBe(isIn);
});
