import { splitQuantity } from "./quantity.ts";

/** Milliseconds of each unit, largest first. */
const unitsMs: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
]);

/** A hundred years: what is longer is a slip, and would not fit the calendar. */
const MAX_MS = 36_525 * 86_400_000;

/** Milliseconds of `500ms`, `30s`, `5m`, `24h` or `7d`: one whole number and one unit. `undefined` when it is none, or over 100 years. */
export function parseDuration(text: string): number | undefined {
  const quantity = splitQuantity(text);
  const unitMs = quantity === undefined ? undefined : unitsMs.get(quantity.unit);
  if (quantity === undefined || unitMs === undefined) return undefined;
  const totalMs = quantity.count * unitMs;
  return totalMs <= MAX_MS ? totalMs : undefined;
}

/** The shortest text that `parseDuration` reads as these milliseconds, which must be whole. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  for (const [unit, unitMs] of unitsMs) if (durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`;
  return `${Math.round(durationMs)}ms`;
}
