import { expect, test } from "bun:test";
import { UpstreamBudget } from "./budget.ts";
import { createManualClock } from "./testing/manual-clock.ts";

const never = new AbortController().signal;

function start(budget: { requests?: number; concurrent?: number } = {}) {
  const clock = createManualClock();
  const limits = { requests: budget.requests, perMs: 1000, concurrent: budget.concurrent ?? 4 };
  return { clock, budget: new UpstreamBudget(clock, limits) };
}

test("streams leave a quarter of the places to the rest", async () => {
  const { budget } = start({ concurrent: 4 });
  for (let i = 0; i < 3; i++) expect(await budget.enter("stream", never)).toBeDefined();
  const impatient = new AbortController();
  const fourth = budget.enter("stream", impatient.signal);
  // A stream enters by two gates, the second a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  const whole = budget.enter("whole", impatient.signal);
  impatient.abort();
  expect(await whole).toBeDefined();
  expect(await fourth).toBeUndefined();
});

test("with one place a stream and the rest take turns, and nothing leaks when a wait is given up", async () => {
  const { budget } = start({ concurrent: 1 });
  const stream = await budget.enter("stream", never);
  const impatient = new AbortController();
  const [whole, other] = [budget.enter("whole", impatient.signal), budget.enter("stream", impatient.signal)];
  impatient.abort();
  expect([await whole, await other]).toEqual([undefined, undefined]);
  stream?.release();
  expect(await budget.enter("stream", never)).toBeDefined();
});

test("a stream that got its stream place but no place gives it back", async () => {
  const { budget } = start({ concurrent: 2 });
  const places = [await budget.enter("whole", never), await budget.enter("whole", never)];
  const impatient = new AbortController();
  const stream = budget.enter("stream", impatient.signal);
  impatient.abort();
  expect(await stream).toBeUndefined();
  for (const place of places) place?.release();
  expect(await budget.enter("stream", never)).toBeDefined();
});

test("an upstream that asked to be left alone is, until its time is over", () => {
  const { clock, budget } = start();
  budget.heed(429, new Headers({ "Retry-After": "30" }));
  expect(budget.spend()).toMatchObject({ reason: "rate-limited", retryAfterMs: 30_000 });
  budget.heed(429, new Headers({ "Retry-After": "1" }));
  clock.advance(29_999);
  expect(budget.paused()).toMatchObject({ retryAfterMs: 1 });
  clock.advance(1);
  expect([budget.paused(), budget.spend()]).toEqual([undefined, undefined]);
});

test("our own budget is kept, and looking does not spend it", () => {
  const { clock, budget } = start({ requests: 1 });
  expect([budget.paused(), budget.spend()]).toEqual([undefined, undefined]);
  expect(budget.paused()).toBeUndefined();
  expect(budget.spend()).toMatchObject({ reason: "rate-limited", retryAfterMs: 1000 });
  clock.advance(1000);
  expect(budget.spend()).toBeUndefined();
});
