import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressSet, anyAddress, noAddress } from "./address-set.ts";
import { parseCidr } from "./cidr.ts";
import { clientAddress, type GetHeader } from "./forwarded.ts";

const trusted = addressSet(
  ["10.0.0.0/8", "192.0.2.10", "2001:db8:aaaa::/48"].map(parseCidr).filter((cidr) => cidr !== undefined),
);

interface Headers {
  readonly xff?: string;
  readonly forwarded?: string;
}

function headers({ xff, forwarded }: Headers): GetHeader {
  return (name) => (name === "forwarded" ? forwarded : xff) ?? null;
}

const untrustedPeer: readonly (readonly [peer: string, given: Headers, client: string])[] = [
  ["203.0.113.5", { xff: "10.0.0.1" }, "203.0.113.5"],
  ["203.0.113.5", { forwarded: "for=127.0.0.1" }, "203.0.113.5"],
  ["203.0.113.5", { xff: "127.0.0.1", forwarded: "for=127.0.0.1" }, "203.0.113.5"],
  ["::ffff:203.0.113.5", { xff: "10.0.0.1" }, "203.0.113.5"],
  ["2001:DB8:BBBB::1", { xff: "10.0.0.1" }, "2001:db8:bbbb::1"],
  ["192.0.2.11", { xff: "10.0.0.1" }, "192.0.2.11"],
  ["", { xff: "10.0.0.1" }, ""],
  ["/run/periplus.sock", { xff: "10.0.0.1" }, "/run/periplus.sock"],
];

const xForwardedFor: readonly (readonly [value: string, client: string])[] = [
  ["203.0.113.9", "203.0.113.9"],
  ["198.51.100.1, 203.0.113.9", "203.0.113.9"],
  ["127.0.0.1, 203.0.113.9", "203.0.113.9"],
  ["203.0.113.9, 10.0.0.7", "203.0.113.9"],
  ["198.51.100.1, 203.0.113.9, 10.0.0.7,10.0.0.8", "203.0.113.9"],
  ["203.0.113.9, 192.0.2.10", "203.0.113.9"],
  ["203.0.113.9, 192.0.2.11", "192.0.2.11"],
  ["10.0.0.7", "10.0.0.7"],
  ["10.0.0.6, 10.0.0.7", "10.0.0.6"],
  ["  203.0.113.9\t", "203.0.113.9"],
  ["198.51.100.1 ,\t203.0.113.9", "203.0.113.9"],
  [",203.0.113.9,", "203.0.113.9"],
  ["203.0.113.9, , ,10.0.0.7", "203.0.113.9"],
  ["203.0.113.9:4711", "203.0.113.9"],
  ["203.0.113.9:_hidden", "203.0.113.9"],
  ["2001:db8:bbbb::9", "2001:db8:bbbb::9"],
  ["[2001:db8:bbbb::9]", "2001:db8:bbbb::9"],
  ["[2001:DB8:bbbb:0::9]:443", "2001:db8:bbbb::9"],
  ["203.0.113.9, 2001:db8:aaaa::1", "203.0.113.9"],
  ["203.0.113.9, [2001:db8:aaaa::1]:80", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["203.0.113.9, ::ffff:10.0.0.7", "203.0.113.9"],
  ["", "10.0.0.1"],
  [", ,", "10.0.0.1"],
  ["unknown", "10.0.0.1"],
  ["203.0.113.9, unknown", "10.0.0.1"],
  ["203.0.113.9, garbage, 10.0.0.7", "10.0.0.7"],
  ["garbage, 203.0.113.9", "203.0.113.9"],
  ["203.0.113.9, 10.0.0.999", "10.0.0.1"],
  ["203.0.113.9, 10.0.0.07", "10.0.0.1"],
  ["203.0.113.9, 0xa000007", "10.0.0.1"],
  ["203.0.113.9, 167772167", "10.0.0.1"],
  ["203.0.113.9 10.0.0.7", "10.0.0.1"],
  ["203.0.113.9;10.0.0.7", "10.0.0.1"],
  ['"203.0.113.9"', "10.0.0.1"],
  ["for=203.0.113.9", "10.0.0.1"],
  ["203.0.113.9:", "10.0.0.1"],
  ["203.0.113.9:x", "10.0.0.1"],
  ["203.0.113.9:123456", "10.0.0.1"],
  ["203.0.113.9/32", "10.0.0.1"],
  ["[203.0.113.9]", "10.0.0.1"],
  ["[2001:db8:bbbb::9", "10.0.0.1"],
  ["[2001:db8:bbbb::9]443", "10.0.0.1"],
  ["fe80::9%eth0", "10.0.0.1"],
  ["203.0.113.9\u00a0", "10.0.0.1"],
];

const forwarded: readonly (readonly [value: string, client: string])[] = [
  ["for=203.0.113.9", "203.0.113.9"],
  ["For=203.0.113.9;Proto=https;By=10.0.0.1", "203.0.113.9"],
  ["proto=https;by=10.0.0.1;FOR=203.0.113.9", "203.0.113.9"],
  ["for=198.51.100.1, for=203.0.113.9", "203.0.113.9"],
  ["for=203.0.113.9, for=10.0.0.7", "203.0.113.9"],
  ["for=203.0.113.9;by=10.0.0.9,for=10.0.0.7 , for=10.0.0.8", "203.0.113.9"],
  ['for="203.0.113.9"', "203.0.113.9"],
  ['for="203.0.113.9:4711"', "203.0.113.9"],
  ["for=203.0.113.9:4711", "203.0.113.9"],
  ['for="203.0.113.9:_port"', "203.0.113.9"],
  ['for="[2001:db8:bbbb::9]"', "2001:db8:bbbb::9"],
  ['for="[2001:DB8:bbbb::9]:4711"', "2001:db8:bbbb::9"],
  ['for="[2001:db8:bbbb::9]:_x"', "2001:db8:bbbb::9"],
  ['for=203.0.113.9, for="[2001:db8:aaaa::1]:80";proto=http', "203.0.113.9"],
  ['for="[::ffff:203.0.113.9]"', "203.0.113.9"],
  ['for=203.0.113.9;host="a,b;for=10.0.0.9"', "203.0.113.9"],
  ['host="a\\",for=10.0.0.9";for=203.0.113.9', "203.0.113.9"],
  ['host="a\\\\";for=203.0.113.9', "203.0.113.9"],
  ['for=203.0.113.9;host="a,b\\"c"', "203.0.113.9"],
  ['for=203.0.113.9;host="a,b\\\\"', "203.0.113.9"],
  [" for=203.0.113.9 ; proto=http ", "203.0.113.9"],
  [",for=203.0.113.9,,", "203.0.113.9"],
  ["for=203.0.113.9;", "203.0.113.9"],
  ["", "10.0.0.1"],
  ["for=unknown", "10.0.0.1"],
  ["for=_gateway", "10.0.0.1"],
  ["for=203.0.113.9, for=unknown", "10.0.0.1"],
  ["for=203.0.113.9, for=_hidden, for=10.0.0.7", "10.0.0.7"],
  ["proto=https", "10.0.0.1"],
  ["for=203.0.113.9, proto=https", "10.0.0.1"],
  ["for", "10.0.0.1"],
  ["for=", "10.0.0.1"],
  ['for=""', "10.0.0.1"],
  ["for = 203.0.113.9", "10.0.0.1"],
  ["for=203.0.113.9;for=203.0.113.9", "10.0.0.1"],
  ["for=203.0.113.9;for=10.0.0.7", "10.0.0.1"],
  ['for="203.0.113.9', "10.0.0.1"],
  ['for=203.0.113.9"', "10.0.0.1"],
  ['for="203.0.113.\\9"', "10.0.0.1"],
  ['for="203.0.113.9"x', "10.0.0.1"],
  ['for="', "10.0.0.1"],
  ["203.0.113.9", "10.0.0.1"],
  ["x-for=203.0.113.9", "10.0.0.1"],
];

/** What a client sent to a proxy that appends its own element, in hope of changing how that one reads. */
const preludes = [
  'for="',
  'for=10.0.0.9;x="',
  "\\",
  'for="\\',
  '"',
  '""',
  ",",
  ";",
  "for=10.0.0.9",
  'for="10.0.0.9", for="',
  "\\\\\\",
];

describe("a peer that is not trusted", () => {
  test.each(untrustedPeer)("%p with %p", (peer, given, client) => {
    expect(clientAddress(peer, headers(given), trusted)).toBe(client);
  });
});

describe("X-Forwarded-For from a trusted peer", () => {
  test.each(xForwardedFor)("%p is from %s", (xff, client) => {
    expect(clientAddress("10.0.0.1", headers({ xff }), trusted)).toBe(client);
    expect(clientAddress("::ffff:10.0.0.1", headers({ xff }), trusted)).toBe(client);
  });
});

describe("Forwarded from a trusted peer", () => {
  test.each(forwarded)("%p is from %s", (value, client) => {
    expect(clientAddress("10.0.0.1", headers({ forwarded: value }), trusted)).toBe(client);
  });

  test.each(preludes)("%p before the proxy's own element changes nothing", (prelude) => {
    for (const own of ["for=203.0.113.9", 'for="203.0.113.9:80";host="a,b"', 'proto=http;for="203.0.113.9"']) {
      const get = headers({ forwarded: `${prelude}, ${own}` });
      expect(clientAddress("10.0.0.1", get, trusted)).toBe("203.0.113.9");
    }
  });
});

describe("both headers", () => {
  const cases: readonly (readonly [xff: string, value: string, client: string])[] = [
    ["203.0.113.9", "for=203.0.113.9", "203.0.113.9"],
    ["1.1.1.1, 203.0.113.9, 10.0.0.7", 'for="203.0.113.9:80", for=10.0.0.7', "203.0.113.9"],
    ["::ffff:203.0.113.9", "for=203.0.113.9", "203.0.113.9"],
    ["203.0.113.9", "for=10.0.0.9", "unknown"],
    ["10.0.0.9", "for=203.0.113.9", "unknown"],
    ["203.0.113.9", "for=garbage", "unknown"],
    ["", "for=203.0.113.9", "unknown"],
  ];
  test.each(cases)("%p and %p: %s", (xff, value, client) => {
    expect(clientAddress("10.0.0.1", headers({ xff, forwarded: value }), trusted)).toBe(client);
  });
});

test("no header leaves the peer", () => {
  expect(clientAddress("10.0.0.1", headers({}), trusted)).toBe("10.0.0.1");
});

test("where all are trusted, the first hop is the client", () => {
  expect(clientAddress("9.9.9.9", headers({ xff: "1.1.1.1, 8.8.8.8" }), anyAddress)).toBe("1.1.1.1");
});

test.each([
  ["203.0.113.5", "203.0.113.5"],
  ["::ffff:203.0.113.5", "203.0.113.5"],
  ["::ffff:0:1", "::ffff:0:1"],
  ["2001:db8::1", "2001:db8::1"],
  ["", ""],
])("without trusted proxies %p is %p and no header is read", (peer, client) => {
  const unread: GetHeader = (name) => {
    throw new Error(`${name} was read`);
  };
  expect(clientAddress(peer, unread, noAddress)).toBe(client);
});

test("whatever a client sends, one appending proxy decides", () => {
  const junk = fc.string({ unit: fc.constantFrom(...'10.2:,;"\\= \tfor[]_x'), maxLength: 60 });
  fc.assert(
    fc.property(junk, junk, (xff, value) => {
      const byXff = headers({ xff: `${xff}, 203.0.113.9` });
      const byForwarded = headers({ forwarded: `${value}, for=203.0.113.9;proto=https` });
      expect(clientAddress("10.0.0.1", byXff, trusted)).toBe("203.0.113.9");
      expect(clientAddress("10.0.0.1", byForwarded, trusted)).toBe("203.0.113.9");
    }),
    { numRuns: 3000 },
  );
});
