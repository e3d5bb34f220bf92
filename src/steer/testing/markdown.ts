/** A part of a page under one heading: its fenced blocks of YAML, and its tables. */
export interface Section {
  readonly heading: string;
  readonly yaml: readonly string[];
  readonly tables: readonly Table[];
}

/** A table: each row by the names of its columns. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** Splits a Markdown page at its second-level headings and reads the YAML and the tables of each part. */
export function readSections(markdown: string): readonly Section[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((text) => ({
      heading: text.split("\n", 1)[0] ?? "",
      yaml: [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block),
      tables: [...text.matchAll(/(?:^\|.*\|$\n?)+/gm)].map(([table]) => readTable(table)),
    }));
}

function readTable(text: string): Table {
  const [columns = [], , ...rows] = text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  const asRow = (cells: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""]));
  return { columns, rows: rows.map(asRow) };
}
