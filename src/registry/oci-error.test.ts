import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseOciError, withError } from "./oci-error.ts";
import { unavailable } from "./unavailable.ts";

function errors(...list: readonly unknown[]): string {
  return JSON.stringify({ errors: list });
}

test.each<[string, string, object | undefined]>([
  ["code and message", errors({ code: "DENIED", message: "no" }), { code: "DENIED", message: "no" }],
  ["the first of several", errors({ code: "A" }, { code: "B" }), { code: "A", message: "" }],
  [
    "a detail that is text",
    errors({ code: "UNKNOWN", message: "unknown error", detail: "disk full" }),
    { code: "UNKNOWN", message: "unknown error: disk full" },
  ],
  [
    "a detail that is none",
    errors({ code: "UNKNOWN", message: "x", detail: { a: 1 } }),
    { code: "UNKNOWN", message: "x" },
  ],
  [
    "what moves a terminal",
    errors({ code: "DENIED", message: "a\u001b[31mb\r\nc\u202ed\u0000" }),
    { code: "DENIED", message: "a [31mb c d" },
  ],
  ["no code", errors({ message: "x" }), undefined],
  ["a code that is none", errors({ code: "<b>", message: "x" }), undefined],
  ["no list", `{"errors":{}}`, undefined],
  ["no errors", errors(), undefined],
  ["no object", "[]", undefined],
  ["no JSON", "<html>", undefined],
])("%s", (_, text, expected) => {
  expect(parseOciError(text)).toEqual(expected as ReturnType<typeof parseOciError>);
});

test("whatever is said comes as one short line that prints", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (message) => {
      const error = parseOciError(errors({ code: "X", message }));
      expect(error?.message ?? "").not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect((error?.message ?? "").length).toBeLessThanOrEqual(301);
    }),
  );
});

test("an error is put after the message, and its code beside it", () => {
  const answer = unavailable("denied", "x answered 403", { status: 403 });
  expect(withError(answer, { code: "DENIED", message: "no" })).toEqual({
    ...answer,
    code: "DENIED",
    message: "x answered 403 (DENIED: no)",
  });
  expect(withError(answer, { code: "DENIED", message: "" }).message).toBe("x answered 403 (DENIED)");
  expect(withError(answer, undefined)).toBe(answer);
});
