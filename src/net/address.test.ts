import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import fc from "fast-check";
import { formatAddress, parseAddress, parseV4, parseV6 } from "./address.ts";

const canonical: readonly (readonly [text: string, formatted: string])[] = [
  ["0.0.0.0", "0.0.0.0"],
  ["1.2.3.4", "1.2.3.4"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8::A", "2001:db8::a"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
  ["0001:0002:0003:0004:0005:0006:0007:0008", "1:2:3:4:5:6:7:8"],
  ["ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["64:ff9b::8.8.8.8", "64:ff9b::808:808"],
  ["::1.2.3.4", "::102:304"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["::FFFF:0102:0304", "1.2.3.4"],
  ["0:0:0:0:0:ffff:255.255.255.255", "255.255.255.255"],
  ["::ffff:0:1.2.3.4", "::ffff:0:102:304"],
];

const refused: readonly string[] = [
  "",
  " ",
  "1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.",
  ".1.2.3",
  "1..2.3",
  "1.2.3.256",
  "1.2.3.1000",
  "01.2.3.4",
  "1.2.3.00",
  "1.2.3.4 ",
  " 1.2.3.4",
  "1.2.3.-4",
  "0x7f.0.0.1",
  "1.2.3.4:80",
  "1.2.3.4/8",
  "１.2.3.4",
  ":",
  ":::",
  ":1",
  "1:",
  "1:2",
  "::1::",
  "1:::2",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "1:2:3:4:5:6:7:8:",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1:2:3:4::5:6:7:8",
  "12345::",
  "g::",
  "::1%lo",
  "fe80::1%25eth0",
  "[::1]",
  "::1 ",
  "::1.2.3",
  "::1.2.3.256",
  "::1.2.3.4:5",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1:2:3:4:5:6:7::1.2.3.4",
  "::.1.2.3",
  "::ffff:1.2.3.4.",
  "٣::",
  "0".repeat(46),
  ":".repeat(100_000),
];

describe("parseAddress", () => {
  test.each(canonical)("%s is %s", (text, formatted) => {
    const address = parseAddress(text);
    expect(address === undefined ? undefined : formatAddress(address)).toBe(formatted);
  });

  test.each(refused)("refuses %p", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("holds the bits as written", () => {
    expect(parseAddress("128.0.0.1")).toEqual({ kind: "v4", bits: 0x80000001 });
    expect(parseAddress("8001:2:3:4:5:6:7:8009")).toEqual({
      kind: "v6",
      words: [0x80010002, 0x30004, 0x50006, 0x78009],
    });
    expect(parseV4("::1")).toBe(-1);
    expect(parseV6("::ffff:1.2.3.4")).toEqual([0, 0, 0xffff, 0x01020304]);
    expect(parseV6("1.2.3.4")).toBeUndefined();
  });

  test("takes what the runtime takes for an address, and nothing else", () => {
    const nearly = fc.string({ unit: fc.constantFrom(..."0125fA:..::"), maxLength: 24 });
    const mutated = fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(50), fc.constantFrom("", "0", ":", ".", "::", "f", "256"))
      .map(([text, at, extra]) => text.slice(0, at) + extra + text.slice(at));
    fc.assert(
      fc.property(fc.oneof(nearly, mutated, fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 5000 },
    );
  });

  test("formats IPv6 as URLs do", () => {
    const inHex = fc.ipV6().filter((text) => !text.includes("."));
    fc.assert(
      fc.property(inHex, (text) => {
        const words = parseV6(text);
        const formatted = words === undefined ? undefined : formatAddress({ kind: "v6", words });
        expect(`[${formatted}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      { numRuns: 2000 },
    );
  });
});
