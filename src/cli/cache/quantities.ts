const sizeUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Bytes for people, in decimal units with three digits: `761 B`, `12.3 MB`. */
export function showSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${sizeUnits[unit]}`;
}

const spans = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** A span of time for people, in its largest whole unit: `45s`, `3h`, `12d`. */
export function showSpan(spanMs: number): string {
  for (const [unit, unitMs] of spans) if (spanMs >= unitMs) return `${Math.floor(spanMs / unitMs)}${unit}`;
  return "0s";
}

/** A point in time, UTC to the second. */
export function showTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The algorithm and enough of the hex to tell digests apart. */
export function showDigest(digest: string): string {
  return digest.slice(0, 19);
}

/** A number and what it counts. */
export function showCount(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
