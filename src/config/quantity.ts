/** A whole number and the letters behind it, as in `30s` or `200GB`. */
export interface Quantity {
  readonly count: number;
  readonly unit: string;
}

/** 2^53 has sixteen digits: more cannot be counted exactly, and a longer text is not worth reading. */
const MAX_DIGITS = 16;
const MAX_UNIT_LETTERS = 3;

/** Splits `DIGITS UNIT`, without blank, sign or fraction, in linear time; `undefined` for any other shape. The unit is not looked at. */
export function splitQuantity(text: string): Quantity | undefined {
  if (text.length > MAX_DIGITS + MAX_UNIT_LETTERS) return undefined;
  let end = 0;
  while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
  if (end === 0 || end > MAX_DIGITS || end === text.length) return undefined;
  return { count: Number(text.slice(0, end)), unit: text.slice(end) };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
