import type { Bench } from "./measure/stage.ts";
import type { Server } from "./measure/server.ts";

/** Who is measured: our server, another's, the bare runtime as reference, or a pull without any server between. */
export type Role = "ours" | "peer" | "bare" | "direct";

/** One measurement of one contender: metric key → value in the metric's unit. A metric that does not apply is absent. */
export type Sample = Readonly<Record<string, number>>;

/** A contender that answers at `origin` (`http://host:port`); the pull without a server between has no process. */
export interface Running {
  readonly kind: "running";
  readonly origin: string;
  readonly server?: Server;
}

/** A contender that is not on this machine, and what would bring it here. */
export interface Missing {
  readonly kind: "missing";
  readonly reason: string;
}

/** One that takes part in a row. `start` is called once a row, or once a round where the row's lifetime is `round`. */
export interface Contender {
  readonly name: string;
  readonly role: Role;
  readonly start: () => Promise<Running | Missing>;
}

/** A column of the table. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
}

/** What is to be reached: a ratio to another contender, an absolute bound, or a distance to another contender. */
export type Target =
  | {
      readonly kind: "ratio";
      readonly metric: string;
      readonly of: string;
      readonly over: string;
      readonly bound: Bound;
    }
  | { readonly kind: "value"; readonly metric: string; readonly of: string; readonly bound: Bound }
  | {
      readonly kind: "difference";
      readonly metric: string;
      readonly of: string;
      readonly over: string;
      readonly bound: Bound;
    };

/** `atLeast` and `atMost` include the value itself. */
export type Bound = { readonly kind: "atLeast" | "atMost"; readonly value: number };

/** What a row needs while it runs: its contenders, one measurement, and the way to let go of what it started. */
export interface Stage {
  readonly contenders: readonly Contender[];
  readonly measure: (running: Running, contender: Contender) => Promise<Sample>;
  readonly close: () => Promise<void>;
}

/** One line of the benchmark. `open` starts nothing but what all its contenders share (the scripted origin). */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly targets: readonly Target[];
  readonly lifetime: "row" | "round";
  readonly maxRounds?: number;
  readonly open: (bench: Bench) => Promise<Stage>;
}

/** A contender's medians over the rounds, with how many samples there were, or why there are none. */
export type Standing =
  | {
      readonly kind: "measured";
      readonly name: string;
      readonly role: Role;
      readonly sample: Sample;
      readonly rounds: number;
    }
  | { readonly kind: "missing"; readonly name: string; readonly role: Role; readonly reason: string };

/** What one row came to. */
export interface RowResult {
  readonly row: Pick<Row, "id" | "title" | "metrics" | "targets">;
  readonly standings: readonly Standing[];
}
