import { expect, test } from "bun:test";
import { NativeTries } from "./native-tries.ts";
import type { NativeBody } from "./remote.ts";
import { createManualClock } from "./testing/manual-clock.ts";

const MiB = 1024 * 1024;

function bodyOf(onEnd: () => void): NativeBody {
  return { stream: new ReadableStream(), end: onEnd };
}

test.each([
  [0, false],
  [1, true],
  [64 * MiB, true],
  [64 * MiB + 1, false],
])("a blob of %d bytes is tried so: %p", (sizeBytes, isFor) => {
  expect(new NativeTries(createManualClock()).isFor(sizeBytes)).toBe(isFor);
});

test.each([
  [9999, true],
  [10_000, false],
])("after one that took %d ms others are tried: %p; ten minutes later they are", (tookMs, isFor) => {
  const clock = createManualClock();
  const tries = new NativeTries(clock);
  const end = tries.begin(bodyOf(() => {}));
  clock.advance(tookMs);
  end();
  expect(tries.isFor(1)).toBe(isFor);
  clock.advance(599_999);
  expect(tries.isFor(1)).toBe(isFor);
  clock.advance(1);
  expect(tries.isFor(1)).toBeTrue();
});

test("one that is not over in 50 s is ended, and nothing stays scheduled for one that is", () => {
  const clock = createManualClock();
  const tries = new NativeTries(clock);
  let ends = 0;
  const end = tries.begin(bodyOf(() => (ends += 1)));
  clock.advance(49_999);
  expect(ends).toBe(0);
  clock.advance(1);
  expect(ends).toBe(1);
  end();
  tries.begin(bodyOf(() => {}))();
  expect(clock.pending()).toBe(0);
});
