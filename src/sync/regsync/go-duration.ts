const unitsMs: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Milliseconds of a duration as Go writes it: `90s`, `1h30m`, `1.5h`. `undefined` for what is none. */
export function parseGoDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^([0-9]{1,12}(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h)){1,7}$/.test(text)) return undefined;
  const terms = [...text.matchAll(/([0-9.]+)([a-zµ]+)/g)];
  return terms.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitsMs.get(unit) ?? 0), 0);
}
