import { expect, test } from "bun:test";
import { createManualClock } from "../registry/testing/manual-clock.ts";
import { Stagger } from "./stagger.ts";

const MiB = 1024 * 1024;
const never = new AbortController().signal;

/** When transfers start that all may at once, in ms after that. */
async function startsOf(sizesBytes: readonly number[]): Promise<readonly number[]> {
  const clock = createManualClock();
  const stagger = new Stagger(clock);
  const beganMs = clock.nowMs();
  const starts: number[] = [];
  const all = sizesBytes.map(async (sizeBytes, n) => {
    await stagger.start(sizeBytes, never);
    starts[n] = Math.round(clock.nowMs() - beganMs);
  });
  for (let ms = 0; ms < 200; ms += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
  await Promise.all(all);
  return starts;
}

test.each([
  ["large ones are set apart", [24 * MiB, 24 * MiB, 24 * MiB], [0, 24, 47]],
  ["the largest by no more than 25 ms", [500 * MiB, 500 * MiB, 1], [0, 25, 50]],
  ["small ones start at once", Array.from({ length: 100 }, () => 1000), Array.from({ length: 100 }, () => 0)],
])("%s", async (_, sizesBytes, starts) => {
  const found = await startsOf(sizesBytes);
  expect(found.length).toBe(starts.length);
  for (const [n, ms] of starts.entries()) expect(Math.abs(found[n]! - ms)).toBeLessThanOrEqual(1);
});

test("a transfer that comes later than the head start does not wait, and one that is stopped waits no more", async () => {
  const clock = createManualClock();
  const stagger = new Stagger(clock);
  await stagger.start(24 * MiB, never);
  clock.advance(30);
  await stagger.start(24 * MiB, never);
  const stop = new AbortController();
  const waiting = stagger.start(24 * MiB, stop.signal);
  expect(clock.pending()).toBe(1);
  stop.abort();
  await waiting;
  expect(clock.pending()).toBe(0);
});
