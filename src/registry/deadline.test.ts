import { expect, test } from "bun:test";
import { pause } from "./clock.ts";
import { endedBy, startDeadline, within } from "./deadline.ts";
import { createManualClock } from "./testing/manual-clock.ts";

test("a deadline ends its signal when the time is over, as a timeout", () => {
  const clock = createManualClock();
  const deadline = startDeadline(clock, { signal: new AbortController().signal, timeoutMs: 1000 });
  clock.advance(400);
  expect([deadline.remainingMs(), deadline.signal.aborted]).toEqual([600, false]);
  clock.advance(600);
  expect(deadline.signal.aborted).toBeTrue();
  expect(endedBy(deadline.signal).reason).toBe("timeout");
});

test.each([true, false])("the caller's signal ends it as cancelled (already before: %p)", (isBefore) => {
  const clock = createManualClock();
  const caller = new AbortController();
  if (isBefore) caller.abort();
  const deadline = startDeadline(clock, { signal: caller.signal, timeoutMs: 1000 });
  caller.abort();
  expect(deadline.signal.aborted).toBeTrue();
  expect(endedBy(deadline.signal).reason).toBe("cancelled");
});

test("a disarmed deadline has no time limit but still its caller; an ended one has neither", () => {
  const clock = createManualClock();
  const caller = new AbortController();
  const disarmed = startDeadline(clock, { signal: caller.signal, timeoutMs: 1000 });
  const ended = startDeadline(clock, { signal: caller.signal, timeoutMs: 1000 });
  disarmed.disarm();
  ended.end();
  clock.advance(5000);
  expect(disarmed.signal.aborted).toBeFalse();
  caller.abort();
  expect([disarmed.signal.aborted, ended.signal.aborted]).toEqual([true, false]);
  expect(clock.pending()).toBe(0);
});

test("a wait for others ends with the signal, and gives their answer when it comes first", async () => {
  const caller = new AbortController();
  expect(await within(caller.signal, Promise.resolve(7))).toBe(7);
  const waiting = within(caller.signal, new Promise(() => {}));
  caller.abort();
  expect(await waiting).toMatchObject({ kind: "unavailable", reason: "cancelled" });
  expect(await within(caller.signal, new Promise(() => {}))).toMatchObject({ reason: "cancelled" });
});

test("a pause ends by time or by signal, and leaves no timer", async () => {
  const clock = createManualClock();
  const caller = new AbortController();
  const byTime = pause(clock, 100, caller.signal);
  clock.advance(100);
  await byTime;
  const bySignal = pause(clock, 100, caller.signal);
  caller.abort();
  await bySignal;
  await pause(clock, 100, caller.signal);
  expect(clock.pending()).toBe(0);
});
