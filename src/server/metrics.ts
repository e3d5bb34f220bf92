/** A label set and its current value. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A value that is read when the metrics are scraped. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  read(): readonly Sample[];
}

const durationBoundsMs = [1, 5, 20, 100, 500, 2000, 5000, 30_000];

/** Counts by decision and status. Counting costs two additions and no allocation. */
class RequestCounts {
  readonly counts = new Float64Array(600);
  readonly durations = new Float64Array(durationBoundsMs.length + 1);
  durationSumMs = 0;
}

/** The metrics of one process, in the Prometheus text format. */
export class Metrics {
  readonly #requests = new Map<string, RequestCounts>();
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #gauges: Gauge[] = [];

  request(decision: string, status: number, durationMs: number): void {
    let counts = this.#requests.get(decision);
    if (counts === undefined) {
      counts = new RequestCounts();
      this.#requests.set(decision, counts);
    }
    counts.counts[status] = (counts.counts[status] ?? 0) + 1;
    let i = 0;
    while (i < durationBoundsMs.length && durationMs > (durationBoundsMs[i] ?? 0)) i++;
    counts.durations[i] = (counts.durations[i] ?? 0) + 1;
    counts.durationSumMs += durationMs;
  }

  /** Adds to a counter. Labels come as one finished string (`upstream="quay.io"`), made by `label`. */
  add(name: string, labels: string, amount: number): void {
    let values = this.#counters.get(name);
    if (values === undefined) {
      values = new Map();
      this.#counters.set(name, values);
    }
    values.set(labels, (values.get(labels) ?? 0) + amount);
  }

  register(gauge: Gauge): void {
    this.#gauges.push(gauge);
  }

  text(): string {
    const lines = [...this.#requestLines()];
    for (const [name, values] of this.#counters) {
      lines.push(`# TYPE ${name} counter`);
      for (const [labels, value] of values) lines.push(`${name}{${labels}} ${value}`);
    }
    for (const gauge of this.#gauges) {
      lines.push(`# HELP ${gauge.name} ${gauge.help}`, `# TYPE ${gauge.name} ${gauge.type}`);
      for (const { labels, value } of gauge.read()) {
        lines.push(
          `${gauge.name}{${Object.entries(labels)
            .map(([key, text]) => label(key, text))
            .join(",")}} ${value}`,
        );
      }
    }
    return `${lines.join("\n")}\n`;
  }

  *#requestLines(): Generator<string> {
    yield "# HELP periplus_requests_total Requests answered, by decision and status.";
    yield "# TYPE periplus_requests_total counter";
    for (const [decision, { counts }] of this.#requests) {
      for (const [status, count] of counts.entries()) {
        if (count > 0) yield `periplus_requests_total{${label("decision", decision)},status="${status}"} ${count}`;
      }
    }
    yield "# HELP periplus_request_duration_seconds Time until an answer began.";
    yield "# TYPE periplus_request_duration_seconds histogram";
    for (const [decision, { durations, durationSumMs }] of this.#requests) {
      const of = label("decision", decision);
      let sum = 0;
      for (const [i, count] of durations.entries()) {
        sum += count;
        const bound = durationBoundsMs[i];
        yield `periplus_request_duration_seconds_bucket{${of},le="${bound === undefined ? "+Inf" : bound / 1000}"} ${sum}`;
      }
      yield `periplus_request_duration_seconds_sum{${of}} ${durationSumMs / 1000}`;
      yield `periplus_request_duration_seconds_count{${of}} ${sum}`;
    }
  }
}

/** One label in the text format, its value escaped. */
export function label(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
