import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRepository, parseTag } from "./repository.ts";

// The specification's own expressions, as the oracle that the parsers must agree with on short input.
const nameGrammar = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

test("names agree with the specification's expression", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab0._-/A%\\"), maxLength: 12 }), (text) => {
      expect(parseRepository(text) !== undefined).toBe(nameGrammar.test(text));
    }),
    { numRuns: 20_000 },
  );
});

test("tags agree with the specification's expression", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."aZ0._-/%"), maxLength: 8 }), (text) => {
      expect(parseTag(text) !== undefined).toBe(tagGrammar.test(text));
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ["a".repeat(255), true],
  ["a".repeat(256), false],
  [`${"a-".repeat(32_768)}/`, false],
  ["library/nginx", true],
  ["a--b", true],
  ["a___b", false],
  ["a..b", false],
  ["a/", false],
  ["/a", false],
  ["a//b", false],
  ["..", false],
  ["a\0b", false],
])("name %#", (text, accepted) => {
  expect(parseRepository(text) !== undefined).toBe(accepted);
});

test.each([
  ["a".repeat(128), true],
  ["a".repeat(129), false],
  ["_x", true],
  [".x", false],
  ["-x", false],
  ["", false],
])("tag %#", (text, accepted) => {
  expect(parseTag(text) !== undefined).toBe(accepted);
});
