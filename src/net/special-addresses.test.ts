import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAddress } from "./address.ts";
import { type AddressScope, scopeOf } from "./special-addresses.ts";

/** First and last address of every block that is not public, and the public neighbours that show where it ends. */
const cases: readonly (readonly [kind: AddressScope["kind"], name: string, addresses: readonly string[]])[] = [
  ["forbidden", "this network", ["0.0.0.0", "0.0.0.1", "0.255.255.255"]],
  [
    "private",
    "private use",
    ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
  ],
  ["private", "carrier-grade NAT", ["100.64.0.0", "100.100.100.199", "100.100.100.201", "100.127.255.255"]],
  ["private", "loopback", ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"]],
  [
    "forbidden",
    "link-local",
    ["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::"],
  ],
  [
    "forbidden",
    "cloud metadata",
    ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:42::42", "fd00:ec2::254", "fd20:ce::254"],
  ],
  ["private", "protocol assignments", ["192.0.0.0", "192.0.0.255", "2001:1::1", "2001:1ff:ffff::"]],
  [
    "private",
    "documentation",
    ["192.0.2.0", "198.51.100.255", "203.0.113.7", "2001:db8::", "2001:db8:ffff::1", "3fff::", "3fff:fff::1"],
  ],
  ["forbidden", "6to4 relay", ["192.88.99.0", "192.88.99.255"]],
  ["private", "benchmarking", ["198.18.0.0", "198.19.255.255", "2001:2::1"]],
  ["forbidden", "multicast", ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff::"]],
  ["private", "reserved", ["240.0.0.0", "255.255.255.254"]],
  ["forbidden", "broadcast", ["255.255.255.255"]],
  ["forbidden", "unspecified", ["::"]],
  ["forbidden", "v4-compatible", ["::2", "::127.0.0.1", "::8.8.8.8", "::ffff:fffe"]],
  ["forbidden", "v4-translated", ["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"]],
  ["private", "NAT64", ["64:ff9b::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1"]],
  ["forbidden", "link-local", ["64:ff9b::169.254.169.254"]],
  ["forbidden", "this network", ["64:ff9b::0.0.0.0"]],
  ["forbidden", "cloud metadata", ["64:ff9b::168.63.129.16"]],
  ["forbidden", "local NAT64", ["64:ff9b:1::", "64:ff9b:1:ffff::1", "64:ff9b:1::127.0.0.1"]],
  ["forbidden", "discard", ["100::", "100::ffff:ffff:ffff:ffff"]],
  [
    "private",
    "not global unicast",
    ["0:1::", "64:ff9b:2::", "64:ff9a::", "100:0:0:1::", "1fff::", "4000::", "5f00::1", "e000::", "fbff::", "fe00::"],
  ],
  ["forbidden", "Teredo", ["2001::", "2001:0:ffff::1"]],
  ["forbidden", "6to4", ["2002::", "2002:7f00:1::", "2002:ffff::"]],
  ["private", "unique local", ["fc00::", "fd12:3456::1", "fdff::"]],
  ["private", "site-local", ["fec0::", "feff::1"]],
  [
    "public",
    "",
    [
      "1.0.0.0",
      "8.8.8.8",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "168.63.129.17",
    ],
  ],
  [
    "public",
    "",
    [
      "169.253.255.255",
      "169.255.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "191.255.255.255",
      "192.0.1.0",
      "192.0.3.0",
      "192.88.98.1",
    ],
  ],
  ["public", "", ["192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.114.0", "223.255.255.255"]],
  [
    "public",
    "",
    [
      "2000::1",
      "2001:200::",
      "2001:db7::",
      "2001:db9::",
      "2003::",
      "2600:1f18::1",
      "2a00:1450::1",
      "3ffe::",
      "3fff:1000::",
    ],
  ],
];

describe("scopeOf", () => {
  test.each(cases)("%s %s: %j", (kind, name, addresses) => {
    for (const text of addresses) {
      const address = parseAddress(text);
      const scope = address === undefined ? undefined : scopeOf(address);
      expect({ text, scope }).toEqual({ text, scope: kind === "public" ? { kind } : { kind, name } });
    }
  });

  test("no spelling of an IPv4 address inside IPv6 is more public than the address", () => {
    const rank = { forbidden: 0, private: 1, public: 2 } as const;
    const prefixes = ["::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "2002:"];
    const v4 = fc.oneof(
      fc.ipV4(),
      fc.constantFrom("127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255"),
    );
    fc.assert(
      fc.property(v4, fc.constantFrom(...prefixes), (text, prefix) => {
        const plain = parseAddress(text);
        const bits = plain?.kind === "v4" ? plain.bits : 0;
        const spelled =
          prefix === "2002:" ? `2002:${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}::` : prefix + text;
        const inside = parseAddress(spelled);
        expect(plain).toBeDefined();
        expect(inside).toBeDefined();
        if (plain === undefined || inside === undefined) return;
        expect(rank[scopeOf(inside).kind]).toBeLessThanOrEqual(rank[scopeOf(plain).kind]);
      }),
      { numRuns: 2000 },
    );
  });
});
