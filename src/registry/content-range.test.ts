import { expect, test } from "bun:test";
import { type ContentRange, contentLength, parseContentRange } from "./content-range.ts";

test.each<[string | null, ContentRange | undefined]>([
  ["bytes 0-9/10", { startByte: 0, endByte: 10, sizeBytes: 10 }],
  ["bytes 5-5/10", { startByte: 5, endByte: 6, sizeBytes: 10 }],
  ["Bytes 5-9/*", { startByte: 5, endByte: 10, sizeBytes: undefined }],
  ["bytes 5-10/10", undefined],
  ["bytes 6-5/10", undefined],
  ["bytes */10", undefined],
  ["bytes 0-9", undefined],
  ["bits 0-9/10", undefined],
  ["bytes -9/10", undefined],
  ["bytes 0-9/1e3", undefined],
  ["bytes 0-9/10, 11-12/20", undefined],
  [`bytes 0-${"9".repeat(16)}/*`, undefined],
  ["", undefined],
  [null, undefined],
])("Content-Range %p", (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

test.each<[string | undefined, number | undefined]>([
  ["0", 0],
  ["1073741824", 1_073_741_824],
  ["-1", undefined],
  ["1.5", undefined],
  ["9".repeat(16), undefined],
  [undefined, undefined],
])("Content-Length %p", (text, expected) => {
  expect(contentLength(new Headers(text === undefined ? {} : { "Content-Length": text }))).toBe(expected);
});
