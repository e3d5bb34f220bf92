import type { Metric, RowResult, Standing, Target } from "../row.ts";
import { judge, type Verdict } from "./judge.ts";
import type { Machine } from "./machine.ts";

/** The whole run as Markdown, for `docs/benchmarks.md` and for a terminal alike: columns are padded. */
export function renderMarkdown(machine: Machine, results: readonly RowResult[]): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const about = `${machine.date}; ${machine.processor}; ${machine.kernel}; ${versions.join(", ")}.`;
  return [about, summary(results), ...results.map(renderRow)].join("\n\n");
}

function summary(results: readonly RowResult[]): string {
  const lines = results.flatMap((result) =>
    judge(result).map((verdict) => [
      result.row.title,
      wanted(verdict.target, labelOf(result.row.metrics, verdict.target.metric)),
      verdict.kind === "open" ? "–" : number(verdict.figure, 2),
      outcome(verdict),
    ]),
  );
  return table(["work", "to reach", "figure", ""], lines);
}

function renderRow({ row, standings }: RowResult): string {
  const header = ["", ...row.metrics.map((metric) => metric.label)];
  const lines = standings.map((standing) => [standing.name, ...row.metrics.map((metric) => cell(standing, metric))]);
  const notes = standings.flatMap((standing) =>
    standing.kind === "missing" ? [`${standing.name}: ${standing.reason.trim().replaceAll(/\s+/g, " ")}`] : [],
  );
  return [`### ${row.title}`, "", table(header, lines), ...notes.map((note) => `\n${note}`)].join("\n");
}

function cell(standing: Standing, metric: Metric): string {
  if (standing.kind === "missing") return "–";
  const value = standing.sample[metric.key];
  return value === undefined ? "" : number(value, metric.digits);
}

function wanted(target: Target, label: string): string {
  const bound = `${target.bound.kind === "atLeast" ? "≥" : "≤"} ${target.bound.value}`;
  switch (target.kind) {
    case "value":
      return `${target.of}: ${label} ${bound}`;
    case "ratio":
      return `${target.of}: ${label} ${bound} × ${target.over}`;
    case "difference":
      return `${target.of}: ${label} ${bound} above ${target.over}`;
  }
}

function outcome(verdict: Verdict): string {
  return verdict.kind === "open" ? verdict.reason : verdict.kind;
}

function labelOf(metrics: readonly Metric[], key: string): string {
  return metrics.find((metric) => metric.key === key)?.label ?? key;
}

function number(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function table(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(name.length, 3, ...lines.map((line) => line[i]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [row(header), rule, ...lines.map(row)].join("\n");
}
