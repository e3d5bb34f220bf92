/** What a `Range` header asks of content whose size is known. RFC 9110, 14. */
export type RangeAnswer =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly startByte: number; readonly endByte: number }
  | { readonly kind: "unsatisfiable" };

const whole: RangeAnswer = { kind: "whole" };
const unsatisfiable: RangeAnswer = { kind: "unsatisfiable" };

/**
 * Reads one range of bytes; `endByte` is exclusive. Several ranges, other units and what does not parse are answered
 * with the whole content, which RFC 9110 allows and every client takes. One that ends before it begins is none that can be had.
 */
export function parseRange(header: string | null, sizeBytes: number): RangeAnswer {
  const match = header === null ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.replaceAll(" ", ""));
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return whole;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? unsatisfiable : { kind: "part", startByte: sizeBytes - length, endByte: sizeBytes };
  }
  const startByte = Number(first);
  const endByte = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (startByte >= sizeBytes) return unsatisfiable;
  return endByte <= startByte ? unsatisfiable : { kind: "part", startByte, endByte };
}
