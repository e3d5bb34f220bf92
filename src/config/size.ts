import { splitQuantity } from "./quantity.ts";

/** Bytes of each unit, largest first: decimal as disks are sold (IEC 80000-13, SI), binary with an `i`. */
const unitsBytes: ReadonlyMap<string, number> = new Map([
  ["PiB", 2 ** 50],
  ["PB", 1e15],
  ["TiB", 2 ** 40],
  ["TB", 1e12],
  ["GiB", 2 ** 30],
  ["GB", 1e9],
  ["MiB", 2 ** 20],
  ["MB", 1e6],
  ["KiB", 2 ** 10],
  ["kB", 1e3],
  ["B", 1],
]);

/** Bytes of `200GB`, `10GiB` or `512MiB`: one whole number and one unit. `undefined` when it is none, or over 2^53 - 1 bytes. */
export function parseSize(text: string): number | undefined {
  const quantity = splitQuantity(text);
  const unitBytes = quantity === undefined ? undefined : unitsBytes.get(quantity.unit);
  if (quantity === undefined || unitBytes === undefined) return undefined;
  const totalBytes = quantity.count * unitBytes;
  return Number.isSafeInteger(totalBytes) ? totalBytes : undefined;
}

/** The shortest text that `parseSize` reads as these bytes, which must be whole. */
export function formatSize(sizeBytes: number): string {
  if (sizeBytes === 0) return "0B";
  for (const [unit, unitBytes] of unitsBytes) if (sizeBytes % unitBytes === 0) return `${sizeBytes / unitBytes}${unit}`;
  return `${Math.round(sizeBytes)}B`;
}
