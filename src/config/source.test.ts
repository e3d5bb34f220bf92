import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Part, Path } from "./problem.ts";
import { readSource } from "./source.ts";

const text = `first: 1
list:
  - name: a
    inner: { x: 1, y: [10, 20] }
  - &b
    name: b
again: *b
empty:
`;

test.each<[Path, Part, string]>([
  [[], "value", "1:1"],
  [["first"], "key", "1:1"],
  [["first"], "value", "1:8"],
  [["list"], "value", "2:1"],
  [["list", 0], "value", "3:5"],
  [["list", 0, "name"], "value", "3:11"],
  [["list", 0, "inner"], "key", "4:5"],
  [["list", 0, "inner"], "value", "4:12"],
  [["list", 0, "inner", "y", 1], "value", "4:28"],
  [["list", 0, "absent"], "value", "3:5"],
  [["list", 9], "value", "2:1"],
  [["again", "name"], "value", "6:11"],
  [["empty"], "key", "8:1"],
  [["absent", "x"], "key", "1:1"],
])("%j, its %s, is at %s", (path, part, place) => {
  const source = readSource("f", text);
  if ("problems" in source) throw new Error("not read");
  const { line, column } = source.locate(path, part);
  expect(`${line}:${column}`).toBe(place);
});

test.each([
  ["a: 1\r\nb: [\r\n", 3],
  [`a: ${"[".repeat(50_000)}`, 1],
  [`\n\na: "unclosed`, 3],
])("%.20j is refused at line %d", (yaml, line) => {
  const source = readSource("f", yaml);
  if (!("problems" in source)) throw new Error("read");
  expect(source.problems[0]).toMatchObject({ file: "f", line });
});

test("a text past the limit is refused unread", () => {
  const source = readSource("f", "#".repeat(16 * 1024 * 1024 + 1));
  expect(source).toMatchObject({ problems: [{ line: 0 }] });
});

test("no text makes it throw, and every place is in the text", () => {
  const piece = fc.constantFrom(
    "a",
    "b: ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&x ",
    "*x",
    "\n",
    "  ",
    "'",
    '"',
    "|",
    "? ",
    "!t ",
    "#",
  );
  const yaml = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(yaml, fc.string()), (written) => {
      const source = readSource("f", written);
      const places = "problems" in source ? source.problems : [source.locate(["a", 0, "b"], "value")];
      for (const { line, column } of places) {
        expect(line).toBeWithin(1, written.split("\n").length + 1);
        expect(column).toBeGreaterThan(0);
      }
    }),
    { numRuns: 500 },
  );
});
