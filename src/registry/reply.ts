import type { Answered } from "./redirects.ts";

/** An answer that holds its place among the upstream's requests, until it is closed. */
export interface Reply {
  readonly kind: "reply";
  readonly answered: Answered;
  /** Ends the reading of the body. */
  readonly signal: AbortSignal;
  /** What is left of the call's time, in milliseconds. */
  remainingMs(): number;
  /** From here on only the caller's signal ends it. */
  disarm(): void;
  /** Ends the body wherever it is, and closes. */
  cut(): void;
  /** Gives the place back. To be called once the body is read or cancelled. */
  close(): void;
}
