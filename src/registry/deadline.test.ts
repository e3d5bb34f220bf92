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

test.each<[string, number, number]>([
  ["more", 5000, 5000],
  ["less", 100, 100],
  ["much more", 600_000, 600_000],
])("an extended deadline has %s time from then on", (_, timeoutMs, endsMs) => {
  const clock = createManualClock();
  const deadline = startDeadline(clock, { signal: new AbortController().signal, timeoutMs: 1000 });
  clock.advance(900);
  deadline.extend(timeoutMs);
  expect(deadline.remainingMs()).toBe(endsMs);
  clock.advance(endsMs - 1);
  expect(deadline.signal.aborted).toBeFalse();
  clock.advance(1);
  expect(endedBy(deadline.signal).reason).toBe("timeout");
});

test("a deadline without an end has one again when it is extended; one that is over has none", () => {
  const clock = createManualClock();
  const deadline = startDeadline(clock, { signal: new AbortController().signal, timeoutMs: 1000 });
  deadline.extend(Number.POSITIVE_INFINITY);
  clock.advance(3_600_000);
  expect(deadline.signal.aborted).toBeFalse();
  deadline.extend(10);
  clock.advance(10);
  expect(deadline.signal.aborted).toBeTrue();
  const ended = startDeadline(clock, { signal: new AbortController().signal, timeoutMs: 1000 });
  ended.end();
  ended.extend(10);
  expect([clock.pending(), ended.signal.aborted]).toEqual([0, false]);
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
