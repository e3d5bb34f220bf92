/** Where in a configuration something stands: keys and indexes from the top, or a flag of the command line as the first element. */
export type Path = readonly (string | number)[];

/** Something that is wrong, or only doubtful, and where. `line` and `column` count from 1; both are 0 where there is no text. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `rules[0].match`, `upstreams.docker.io.url`, `--listen`; "" for the file itself. */
  readonly path: string;
  /** What is wrong and what to do, without secrets. */
  readonly message: string;
}

/** A line and a column of a text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Which end of a key and its value a message is about. */
export type Part = "key" | "value";

/** Collects what is found while a configuration is read, so that all of it is said at once. */
export interface Findings {
  problem(path: Path, message: string, part?: Part): void;
  warning(path: Path, message: string): void;
  /** In the order of the file. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Findings whose places `locate` knows. */
export function createFindings(file: string, locate: (path: Path, part: Part) => Position): Findings {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const at = (path: Path, message: string, part: Part): Problem => {
    const isFlag = isFlagPath(path);
    const { line, column } = isFlag ? { line: 0, column: 0 } : locate(path, part);
    return { file: isFlag ? "command line" : file, line, column, path: formatPath(path), message };
  };
  return {
    problem: (path, message, part = "value") => void problems.push(at(path, message, part)),
    warning: (path, message) => void warnings.push(at(path, message, "value")),
    get problems() {
      return problems.toSorted(byPlace);
    },
    get warnings() {
      return warnings.toSorted(byPlace);
    },
  };
}

/** One line, as compilers write it: `file:line:column: path: message`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

/** A path as people write it. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

function isFlagPath(path: Path): boolean {
  return typeof path[0] === "string" && path[0].startsWith("--");
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
