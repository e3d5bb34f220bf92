import { expect, test } from "bun:test";
import fc from "fast-check";
import { matchesGlob } from "./glob.ts";

test.each([
  ["team/app", "team/app", true],
  ["team/app", "team/apps", false],
  ["team/*", "team/app", true],
  ["team/*", "team/app/web", false],
  ["team/**", "team/app/web", true],
  ["team/**", "team", false],
  ["**", "any/thing", true],
  ["*", "any/thing", false],
  ["v*", "v1.2", true],
  ["v*-rc*", "v1.2-rc.1", true],
  ["v*-rc*", "v1.2", false],
  ["a.c", "abc", false],
  ["**/app", "a/b/app", true],
  ["", "", true],
  ["", "a", false],
])("%p takes %p: %p", (pattern, text, isTaken) => {
  expect(matchesGlob(pattern, text)).toBe(isTaken);
});

test("a pattern without stars takes itself alone, and ** takes all", () => {
  const plain = fc.string({ maxLength: 30 }).filter((text) => !text.includes("*"));
  fc.assert(
    fc.property(plain, plain, (one, other) => {
      expect(matchesGlob(one, other)).toBe(one === other);
      expect(matchesGlob(`${one}**${other}`, `${one}/x/${other}`)).toBe(true);
    }),
  );
});

test("many stars against a long text end soon", () => {
  expect(matchesGlob("*a".repeat(100), "a".repeat(255))).toBe(true);
  expect(matchesGlob(`${"*a".repeat(100)}b`, "a".repeat(255))).toBe(false);
});
