import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatPaxPath, parsePax } from "./pax.ts";
import { octal, testHeader } from "./testing/tar-block.ts";
import { paddingAfter, parseTarHeader } from "./tar-header.ts";
import { tarHeader } from "./tar-write.ts";

const base256 = (...last: readonly number[]): Uint8Array => {
  const field = new Uint8Array(12);
  field[0] = 0x80;
  field.set(last, 12 - last.length);
  return field;
};

test.each([
  [
    { name: "a/b", size: octal(5) },
    { name: "a/b", sizeBytes: 5, type: "0" },
  ],
  [{ name: "b", prefix: "a" }, { name: "a/b" }],
  [{ name: "b", prefix: "a", magic: "ustar  " }, { name: "b" }],
  [{ name: "b", prefix: "a", magic: "" }, { name: "b" }],
  [{ name: "n".repeat(100) }, { name: "n".repeat(100) }],
  [{ type: "\0" }, { type: "0" }],
  [
    { type: "2", linkName: "../x" },
    { type: "2", linkName: "../x" },
  ],
  [{ size: "        17 " }, { sizeBytes: 15 }],
  [{ size: "" }, { sizeBytes: 0 }],
  [{ size: "777777777777" }, { sizeBytes: 8 ** 12 - 1 }],
  [{ size: base256(2, 0, 0, 0, 5) }, { sizeBytes: 8 * 1024 ** 3 + 5 }],
])("a header that is read %#", (fields, expected) => {
  expect(parseTarHeader(testHeader(fields))).toMatchObject({ kind: "header", ...expected });
});

test.each([
  [{ size: "9" }, "size"],
  [{ size: "-1" }, "size"],
  [{ size: "0x10" }, "size"],
  [{ size: base256(0x20, 0, 0, 0, 0, 0, 0) }, "size"],
  [{ size: new Uint8Array(12).fill(0xff) }, "size"],
])("a header that is refused %#", (fields, words) => {
  const header = parseTarHeader(testHeader(fields));
  expect(header.kind === "refused" ? header.reason : header).toContain(words);
});

test("a wrong checksum is no header; zeros are the end", () => {
  const block = testHeader({ name: "a" });
  block[0] = 98;
  expect(parseTarHeader(block)).toMatchObject({ kind: "refused" });
  expect(parseTarHeader(new Uint8Array(512))).toEqual({ kind: "end" });
});

test("any 512 bytes are a header, the end or a refusal", () => {
  const field = fc.uint8Array({ maxLength: 12 });
  fc.assert(
    fc.property(fc.string({ maxLength: 100, unit: "binary-ascii" }), field, (name, size) => {
      const header = parseTarHeader(testHeader({ name, size }));
      if (header.kind === "header") expect(Number.isSafeInteger(header.sizeBytes) && header.sizeBytes >= 0).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (block) => {
      expect(["header", "end", "refused"]).toContain(parseTarHeader(block).kind);
    }),
  );
});

test("what is written is read again: every size, and every name by its pax record", () => {
  const size = fc.oneof(fc.nat(), fc.maxSafeNat());
  const name = fc
    .string({ minLength: 1, maxLength: 300 })
    .filter((text) => !text.includes("\0") && text.isWellFormed());
  fc.assert(
    fc.property(name, size, (text, sizeBytes) => {
      const written = tarHeader(text, sizeBytes);
      const last = parseTarHeader(written.subarray(-512));
      expect(last).toMatchObject({ kind: "header", type: "0", sizeBytes });
      if (written.byteLength === 512) return expect(last).toMatchObject({ name: text });
      const first = parseTarHeader(written.subarray(0, 512));
      const recordBytes = first.kind === "header" ? first.sizeBytes : 0;
      expect(first).toMatchObject({ type: "x" });
      expect(written.byteLength).toBe(1024 + recordBytes + paddingAfter(recordBytes));
      expect(parsePax(written.subarray(512, 512 + recordBytes))).toEqual({ path: text });
    }),
  );
});

test.each([
  ["19 path=some/where\n", { path: "some/where" }],
  ["13 size=1234\n11 path=ab\n", { sizeBytes: 1234, path: "ab" }],
  ["18 linkpath=../ab\n", { linkPath: "../ab" }],
  ["20 comment=whatever\n", {}],
  ["", {}],
])("the records %j", (text, expected) => {
  expect(parsePax(new TextEncoder().encode(text))).toEqual(expected);
});

test.each([
  ["5 path=some\n", "broken"],
  ["99 path=some\n", "broken"],
  ["path=some\n", "broken"],
  ["0 path=some\n", "broken"],
  ["12 pathsome\n", "broken"],
  ["11 size=1x\n", "size"],
  ["26 GNU.sparse.realsize=99\n", "sparse"],
])("refused records %j", (text, words) => {
  const read = parsePax(new TextEncoder().encode(text));
  expect("kind" in read ? read.reason : "read").toContain(words);
});

test("a pax record counts itself", () => {
  for (const length of [1, 2, 3, 88, 89, 90, 91, 92, 988, 989, 990, 991, 992, 993]) {
    const record = formatPaxPath("p".repeat(length));
    expect(new TextDecoder().decode(record)).toStartWith(`${record.byteLength} path=`);
  }
});
