import { expect, test } from "bun:test";
import { parseVersion } from "../version.ts";
import { parseGoDuration } from "./go-duration.ts";
import { parseRegsyncRange } from "./range.ts";

test.each([
  [">=1.0.0 <2.0.0", "1.0 1.9.9 2.0.0-rc.1", "2.0.0 0.9"],
  ["1.2", "1.2.0 v1.2", "1.2.1"],
  ["=1.2.3", "1.2.3", "1.2.3-rc.1"],
  ["~1", "1.0.0 1.0.9 1.1.0-rc.1", "1.1.0"],
  ["~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"],
  ["^1.2", "1.2.0 1.9 2.0.0-rc.1", "2.0.0 1.1"],
  ["^0.2.3", "0.2.9", "0.3.0"],
  ["^0.0.3", "0.0.3", "0.0.4"],
  [">1.2 <=1.3", "1.2.1 1.3", "1.2 1.3.1"],
  [">=1", "1.2.3.4", "0.1.2.3"],
])("%s contains %s, not %s", (text, inside, outside) => {
  const range = parseRegsyncRange(text);
  if ("reason" in range) throw new Error(range.reason);
  const contains = (version: string): boolean => range.contains(parseVersion(version)!);
  expect(inside.split(" ").filter((version) => !contains(version))).toEqual([]);
  expect(outside.split(" ").filter(contains)).toEqual([]);
});

test.each(["latest", ">=1, <2", "^1 || ^2", "1.x", ""])("%j is refused", (text) => {
  expect(parseRegsyncRange(text)).toHaveProperty("reason");
});

test.each([
  ["60m", 3_600_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  ["90s", 90_000],
  ["250ms", 250],
  ["0", 0],
  ["0s", 0],
  ["1d", undefined],
  ["5", undefined],
  ["", undefined],
  ["-1s", undefined],
  ["1h 30m", undefined],
])("the duration %j is %p ms", (text, expected) => {
  expect(parseGoDuration(text)).toBe(expected);
});
