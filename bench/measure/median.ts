import type { Sample } from "../row.ts";

/** The median of some numbers, of an even count the mean of the middle two; NaN of none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

/** Metric by metric the median over the samples that have it. */
export function medianSample(samples: readonly Sample[]): Sample {
  const keys = new Set(samples.flatMap((sample) => Object.keys(sample)));
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      median(samples.flatMap((sample) => (sample[key] === undefined ? [] : [sample[key]]))),
    ]),
  );
}
