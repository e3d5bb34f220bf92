import { expect, test } from "bun:test";
import fc from "fast-check";
import { Rate } from "./rate.ts";
import { createManualClock } from "./testing/manual-clock.ts";

test("what is over the rate is told how long to wait", () => {
  const clock = createManualClock();
  const rate = new Rate({ clock, requests: 2, perMs: 1000 });
  expect([rate.spend(), rate.spend(), rate.spend()]).toEqual([0, 0, 1000]);
  clock.advance(400);
  expect(rate.spend()).toBe(600);
  clock.advance(600);
  expect([rate.spend(), rate.spend(), rate.spend()]).toEqual([0, 0, 1000]);
});

test("without a number nothing is counted", () => {
  const rate = new Rate({ clock: createManualClock(), requests: undefined, perMs: 1000 });
  for (let i = 0; i < 100; i++) expect(rate.spend()).toBe(0);
});

test("no span of time has more than the rate, and a wait that is kept is long enough", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), steps, (requests, gapsMs) => {
      const clock = createManualClock();
      const rate = new Rate({ clock, requests, perMs: 1000 });
      const sent: number[] = [];
      for (const gapMs of gapsMs) {
        clock.advance(gapMs);
        const waitMs = rate.spend();
        if (waitMs === 0) sent.push(clock.nowMs());
        else if (gapMs % 2 === 0) {
          clock.advance(waitMs);
          expect(rate.spend()).toBe(0);
          sent.push(clock.nowMs());
        }
      }
      for (const startMs of sent) {
        expect(sent.filter((at) => at >= startMs && at < startMs + 1000).length).toBeLessThanOrEqual(requests);
      }
    }),
  );
});
