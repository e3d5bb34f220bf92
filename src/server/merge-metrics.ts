/** Series that say the same in every process, so that adding them up would be wrong. */
const sameEverywhere: ReadonlySet<string> = new Set(["periplus_build_info", "periplus_rules"]);

/**
 * The metrics of several processes as those of one: the same series added up, in the order of the first text. Counters,
 * histograms and bytes of memory add up; what is the same everywhere is taken once.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const names = new Map<string, Map<string, number> | undefined>();
  let series = new Map<string, number>();
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      series = names.get(line) ?? new Map();
      names.set(line, series);
      continue;
    }
    const space = line.lastIndexOf(" ");
    const key = line.slice(0, space);
    const value = Number(line.slice(space + 1));
    const isSame = sameEverywhere.has(key.split("{", 1)[0] ?? key);
    series.set(key, isSame ? value : (series.get(key) ?? 0) + value);
  }
  const lines: string[] = [];
  for (const [head, values] of names) {
    lines.push(head);
    for (const [key, value] of values ?? []) lines.push(`${key} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}
