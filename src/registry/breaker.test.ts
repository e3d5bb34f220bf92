import { expect, test } from "bun:test";
import { type Admission, Breaker, type Outcome } from "./breaker.ts";
import { createManualClock, type ManualClock } from "./testing/manual-clock.ts";

function start(random = 0): { readonly clock: ManualClock; readonly breaker: Breaker } {
  const clock = createManualClock();
  return { clock, breaker: new Breaker({ clock, random: () => random, failuresToOpen: 3 }) };
}

function tell(breaker: Breaker, ...outcomes: readonly Outcome[]): readonly Admission["kind"][] {
  return outcomes.map((outcome) => {
    const admission = breaker.admit();
    if (admission.kind === "admitted") admission.settle(outcome);
    return admission.kind;
  });
}

test.each<[string, readonly Outcome[], Admission["kind"]]>([
  ["failures in a row open it", ["failure", "failure", "failure"], "open"],
  ["fewer do not", ["failure", "failure"], "admitted"],
  [
    "a success between them starts the count again",
    ["failure", "failure", "success", "failure", "failure"],
    "admitted",
  ],
  ["what says nothing neither counts nor resets", ["failure", "failure", "unknown", "failure"], "open"],
])("%s", (_, outcomes, expected) => {
  const { breaker } = start();
  tell(breaker, ...outcomes);
  expect(breaker.admit().kind).toBe(expected);
});

test("after its time one trial passes, others wait for how it ends", () => {
  const { clock, breaker } = start();
  tell(breaker, "failure", "failure", "failure");
  expect(breaker.admit()).toEqual({ kind: "open", retryAfterMs: 1000 });
  clock.advance(999);
  expect(breaker.admit().kind).toBe("open");
  clock.advance(1);
  const trial = breaker.admit();
  expect([trial.kind, breaker.admit().kind]).toEqual(["admitted", "open"]);
  if (trial.kind === "admitted") trial.settle("success");
  expect(tell(breaker, "failure", "failure", "failure")).toEqual(["admitted", "admitted", "admitted"]);
  expect(breaker.admit().kind).toBe("open");
});

test("a trial that was given up lets the next one try at once", () => {
  const { clock, breaker } = start();
  tell(breaker, "failure", "failure", "failure");
  clock.advance(1000);
  expect(tell(breaker, "unknown", "success", "success")).toEqual(["admitted", "admitted", "admitted"]);
});

test("each failed trial doubles the time up to half a minute", () => {
  const { clock, breaker } = start();
  tell(breaker, "failure", "failure", "failure");
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const admission = breaker.admit();
    if (admission.kind === "admitted") throw new Error("it should be open");
    waits.push(admission.retryAfterMs);
    clock.advance(admission.retryAfterMs);
    tell(breaker, "failure");
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("after a success the time begins short again", () => {
  const { clock, breaker } = start();
  tell(breaker, "failure", "failure", "failure");
  clock.advance(1000);
  tell(breaker, "failure");
  clock.advance(2000);
  tell(breaker, "success", "failure", "failure", "failure");
  expect(breaker.admit()).toEqual({ kind: "open", retryAfterMs: 1000 });
});

test("chance shortens the time by up to half", () => {
  const { clock, breaker } = start(0.5);
  tell(breaker, "failure", "failure", "failure");
  clock.advance(750);
  expect(breaker.admit().kind).toBe("admitted");
});

test("requests from before it opened add no failure, and a late success closes it", () => {
  const { breaker } = start();
  const early = [breaker.admit(), breaker.admit()];
  tell(breaker, "failure", "failure", "failure");
  if (early[0]?.kind === "admitted") early[0].settle("failure");
  expect(breaker.admit()).toEqual({ kind: "open", retryAfterMs: 1000 });
  if (early[1]?.kind === "admitted") early[1].settle("success");
  expect(breaker.admit().kind).toBe("admitted");
});

test("an outcome counts once", () => {
  const { breaker } = start();
  const admission = breaker.admit();
  if (admission.kind === "admitted") for (let i = 0; i < 5; i++) admission.settle("failure");
  expect(breaker.admit().kind).toBe("admitted");
});
