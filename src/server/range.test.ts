import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRange } from "./range.ts";

const whole = { kind: "whole" };
const unsatisfiable = { kind: "unsatisfiable" };
function part(startByte: number, endByte: number): object {
  return { kind: "part", startByte, endByte };
}

test.each<[string | null, object]>([
  [null, whole],
  ["", whole],
  ["bytes=0-0", part(0, 1)],
  ["bytes=0-9", part(0, 10)],
  ["bytes=0-99", part(0, 10)],
  ["bytes=3-", part(3, 10)],
  ["bytes = 3 - 4", part(3, 5)],
  ["bytes=-3", part(7, 10)],
  ["bytes=-99", part(0, 10)],
  ["bytes=9-", part(9, 10)],
  ["bytes=10-", unsatisfiable],
  ["bytes=10-20", unsatisfiable],
  ["bytes=-0", unsatisfiable],
  ["bytes=5-2", { kind: "unsatisfiable" }],
  ["bytes=-", whole],
  ["bytes=0-1,4-5", whole],
  ["bytes=0-1,", whole],
  ["bytes=+1-2", whole],
  ["bytes=1-2x", whole],
  ["bytes=0x1-2", whole],
  ["bytes=1.5-2", whole],
  ["bytes=9999999999999999-", whole],
  ["items=0-1", whole],
])("%p of ten bytes is %p", (header, answer) => {
  expect(parseRange(header, 10)).toEqual(answer as ReturnType<typeof parseRange>);
});

test.each(["bytes=0-", "bytes=0-0", "bytes=-1"])("nothing of nothing can be had by %s", (header) => {
  expect(parseRange(header, 0)).toEqual({ kind: "unsatisfiable" });
});

const size = fc.integer({ min: 0, max: 40 });
const end = fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined });

test("a range is what slicing gives (RFC 9110, 14.1.2)", () => {
  fc.assert(
    fc.property(size, end, end, (sizeBytes, first, last) => {
      const content = Array.from({ length: sizeBytes }, (_, i) => i);
      const answer = parseRange(`bytes=${first ?? ""}-${last ?? ""}`, sizeBytes);
      const isSuffix = first === undefined && last !== undefined;
      const wanted = isSuffix
        ? content.slice(Math.max(0, sizeBytes - last))
        : content.slice(first ?? 0, last === undefined ? undefined : last + 1);
      if (answer.kind === "part") expect(content.slice(answer.startByte, answer.endByte)).toEqual(wanted);
      else if (answer.kind === "unsatisfiable") expect(wanted).toEqual([]);
      else expect((first ?? 0) > (last ?? -1)).toBe(true);
    }),
  );
});

test("whatever is asked, a part lies within the content and is not empty", () => {
  const hostile = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[-0-9, ]{0,40}$/));
  fc.assert(
    fc.property(hostile, size, (header, sizeBytes) => {
      const answer = parseRange(header, sizeBytes);
      if (answer.kind !== "part") return;
      expect(answer.startByte).toBeGreaterThanOrEqual(0);
      expect(answer.endByte).toBeGreaterThan(answer.startByte);
      expect(answer.endByte).toBeLessThanOrEqual(sizeBytes);
    }),
  );
});
