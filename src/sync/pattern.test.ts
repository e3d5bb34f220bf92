import { expect, test } from "bun:test";
import fc from "fast-check";
import { compileAnchored, compileExpression, compileGlob, type Pattern, type PatternRefusal } from "./pattern.ts";

function matches(pattern: Pattern | PatternRefusal, name: string): boolean | string {
  return "reason" in pattern ? pattern.reason : pattern.matches(name);
}

test.each([
  ["^v1\\.", "v1.2", true],
  ["^v1\\.", "av1.2", false],
  ["rc", "v1-rc.1", true],
  ["^(?:a|b)$", "b", true],
  ["\\d{2}", "a12", true],
  ["(?i)RC", "v1-rc1", true],
  ["\\pL", "1", false],
])("the expression %s finds something in %s: %p", (text, name, found) => {
  expect(matches(compileExpression(text), name)).toBe(found);
});

test.each([
  ["3.\\d+", "3.19", true],
  ["3.\\d+", "v3.19", false],
  ["3", "3.1", false],
  ["a|b", "axx", true],
  ["a|b", "xxb", true],
  ["a|b", "xx", false],
])("between ^ and $, %s matches %s: %p", (text, name, found) => {
  expect(matches(compileAnchored(text), name)).toBe(found);
});

test.each([
  ["*-rc*", "v1.2-rc.1", true],
  ["*-rc*", "v1.2", false],
  ["v?", "v1", true],
  ["v?", "v", false],
  ["a.b", "axb", false],
  ["team/*", "team/a", true],
  ["team/*", "team/a/b", false],
  ["team/**", "team/a/b", true],
  ["a***b", "a/x/b", true],
  ["[a]", "a", false],
  ["[a]", "[a]", true],
  ["a+", "a+", true],
])("the glob %s matches %s: %p", (text, name, found) => {
  expect(matches(compileGlob(text), name)).toBe(found);
});

test.each([
  ["(", "is no regular expression that RE2 takes"],
  ["a(?=b)", "is no regular expression that RE2 takes"],
  ["(a)\\1", "is no regular expression that RE2 takes"],
  ["a{1001}", "is no regular expression that RE2 takes"],
  ["", "is empty"],
  ["a".repeat(1001), "is longer than 1000 characters"],
])("%j is refused with its reason", (text, reason) => {
  expect(matches(compileExpression(text), "")).toStartWith(reason);
});

test("what takes others an age takes no longer here than anything else", () => {
  const pattern = compileExpression("^(a+)+$");
  const names = Array.from({ length: 5000 }, (_, index) => `${"a".repeat(120)}${index}!`);
  expect(names.filter((name) => matches(pattern, name) === true)).toEqual([]);
});

/** The plain meaning of a glob: try every length for every star. */
function globbed(glob: string, name: string): boolean {
  if (glob === "") return name === "";
  if (glob.startsWith("**")) return globbed(glob.slice(2), name) || (name !== "" && globbed(glob, name.slice(1)));
  const [first = "", ...rest] = glob;
  const isPlain = name !== "" && !name.startsWith("/");
  if (first === "*") return globbed(rest.join(""), name) || (isPlain && globbed(glob, name.slice(1)));
  const isSame = first === "?" ? isPlain : name.startsWith(first);
  return isSame && globbed(rest.join(""), name.slice(1));
}

test("globs match what trying everything matches", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."ab/.*?+"), maxLength: 7, minLength: 1 });
  const names = fc.string({ unit: fc.constantFrom(..."ab/.*?+"), maxLength: 7 });
  fc.assert(
    fc.property(letters, names, (glob, name) => {
      expect([glob, name, matches(compileGlob(glob), name)]).toEqual([glob, name, globbed(glob, name)]);
    }),
    { numRuns: 5000 },
  );
});
