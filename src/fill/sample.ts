/** How much of what a target holds is read again. */
export type Sample =
  | { readonly kind: "all" }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "percent"; readonly percent: number };

/** Parses `all`, `100`, `5%`, `0.5%`. */
export function parseSample(text: string): Sample | undefined {
  if (text === "all") return { kind: "all" };
  const [, digits = "", sign] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const number = Number(digits);
  if (sign === "%") return number <= 100 ? { kind: "percent", percent: number } : undefined;
  return Number.isInteger(number) ? { kind: "count", count: number } : undefined;
}

/** So many of a list, each as likely as every other; a share of something is at least one. */
export function sampleOf<T>(list: readonly T[], sample: Sample, random: () => number): readonly T[] {
  const size = Math.min(list.length, sizeOf(list.length, sample));
  if (size === list.length) return list;
  const shuffled = [...list];
  for (let at = 0; at < size; at++) {
    const other = at + Math.floor(random() * (shuffled.length - at));
    const [one, another] = [shuffled[at], shuffled[other]] as [T, T];
    [shuffled[at], shuffled[other]] = [another, one];
  }
  return shuffled.slice(0, size);
}

function sizeOf(length: number, sample: Sample): number {
  switch (sample.kind) {
    case "all":
      return length;
    case "count":
      return sample.count;
    case "percent":
      return Math.ceil((length * sample.percent) / 100);
  }
}
