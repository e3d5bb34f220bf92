/** How an operation went as a whole; where several hold: failed, incomplete, findings. */
export type Outcome = "clean" | "failed" | "findings" | "incomplete";

/** How far an operation is. Comes now and then; nothing rests on it. */
export interface Progress {
  readonly kind: "progress";
  /** What is worked at now. */
  readonly at: string;
  readonly done: number;
  /** Absent when nobody has counted. */
  readonly total: number | undefined;
  /** Bytes moved or read so far. */
  readonly bytes: number;
}

/** One thing that was asked for or found. */
export type Result<Row> = { readonly kind: "result" } & Row;

/** The last event of an operation that came to its end; without it the answer was cut off. */
export type Summary<Totals> = { readonly kind: "summary"; readonly outcome: Outcome } & Totals;

/** What an operation yields: plain values that go over a wire as they are. */
export type Events<Row, Totals> = AsyncGenerator<Progress | Result<Row> | Summary<Totals>, void, void>;
