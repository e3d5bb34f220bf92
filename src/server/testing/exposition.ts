/** One line of metrics, read. */
interface ExpositionSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a text of metrics says: its samples, and its families with their types in order. */
export interface Exposition {
  readonly samples: readonly ExpositionSample[];
  readonly families: readonly (readonly [name: string, type: string])[];
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?|\+Inf|NaN)$/s;
const labelPair = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/s;

/**
 * Reads the Prometheus text format (0.0.4) and throws for whatever a scraper would refuse: a line that is no sample, a
 * family that is split or typed twice, a series that is there twice.
 */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith("\n")) throw new Error("the text must end with a line feed");
  const families: (readonly [string, string])[] = [];
  const samples: ExpositionSample[] = [];
  const series = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    if (line.startsWith("# HELP ")) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      const [, name = "", kind = ""] = type;
      if (families.some(([known]) => known === name)) throw new Error(`${name} has a second TYPE`);
      families.push([name, kind]);
      continue;
    }
    const sample = parseSample(line);
    const [family = ""] = families.at(-1) ?? [];
    const suffixes = families.at(-1)?.[1] === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    if (!suffixes.some((suffix) => sample.name === family + suffix)) throw new Error(`${line} is not of ${family}`);
    const key = JSON.stringify([sample.name, sample.labels]);
    if (series.has(key)) throw new Error(`${line} is there twice`);
    series.add(key);
    samples.push(sample);
  }
  return { samples, families };
}

function parseSample(line: string): ExpositionSample {
  const [, name, inner = "", value] = sampleLine.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${JSON.stringify(line)}`);
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== "") {
    const [whole, label, text] = labelPair.exec(rest) ?? [];
    if (whole === undefined || label === undefined || text === undefined) throw new Error(`no label: ${rest}`);
    labels[label] = text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(whole.length);
  }
  return { name, labels, value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) };
}
