import { expect, test } from "bun:test";
import fc from "fast-check";
import { algorithmOf, digestFrom, hexOf, parseDigest } from "./digest.ts";

const hex64 = "0123456789abcdef".repeat(4);
const hex128 = hex64 + hex64;

test.each([
  [`sha256:${hex64}`, true],
  [`sha512:${hex128}`, true],
  [`sha256:${hex128}`, false],
  [`sha512:${hex64}`, false],
  [`sha256:${hex64.slice(1)}`, false],
  [`sha256:${hex64.toUpperCase()}`, false],
  [`sha384:${hex64}`, false],
  [`SHA256:${hex64}`, false],
  [`sha256:${hex64.slice(0, 63)}/`, false],
  [`sha256:../${hex64.slice(3)}`, false],
  ["", false],
  ["sha256:", false],
])("%s is a digest: %p", (text, accepted) => {
  expect(parseDigest(text) !== undefined).toBe(accepted);
});

test("algorithm and hex make the digest again", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("sha256" as const, "sha512" as const),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (algorithm, bytes) => {
        const hex = Buffer.from(bytes)
          .toString("hex")
          .slice(0, algorithm === "sha256" ? 64 : 128);
        const digest = digestFrom(algorithm, hex);
        expect(parseDigest(digest)).toBe(digest);
        expect(algorithmOf(digest)).toBe(algorithm);
        expect(hexOf(digest)).toBe(hex);
      },
    ),
  );
});

test("whatever is accepted has the grammar's shape", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 140 }), (text) => {
      if (parseDigest(text) !== undefined) expect(text).toMatch(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
    }),
  );
});

test("a hash of the wrong length is refused", () => {
  expect(() => digestFrom("sha256", hex128)).toThrow(RangeError);
});
