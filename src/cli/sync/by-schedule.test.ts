import { afterEach, beforeEach, expect, test } from "bun:test";
import { createManualClock, type ManualClock } from "../../registry/testing/manual-clock.ts";
import { LoopbackRegistry } from "../copy/testing/loopback-registry.ts";
import { type Ran, run } from "../copy/testing/run.ts";
import { digestAt, holdImage } from "./testing/images.ts";

let from: LoopbackRegistry;
let to: LoopbackRegistry;
let clock: ManualClock;

beforeEach(() => {
  from = new LoopbackRegistry();
  to = new LoopbackRegistry();
  clock = createManualClock();
});
afterEach(async () => {
  await from[Symbol.asyncDispose]();
  await to[Symbol.asyncDispose]();
});

interface Going {
  readonly ended: Promise<Ran>;
  readonly stop: () => void;
  /** Everything that was said, once it has this in it so many times. */
  readonly said: (text: string, times: number) => Promise<string>;
}

/** `periplus sync --apply --schedule` under way, by a file that may change. */
function going(file: { text: string }): Going {
  let all = "";
  let check = (): void => {};
  let stop = (): void => {};
  const note = (text: string): void => {
    all += text;
    check();
  };
  const ended = run(["sync", "-f", "sync.yaml", "--apply", "--schedule"], {
    clock,
    readFile: () => Promise.resolve(file.text),
    stdout: note,
    stderr: note,
    interruptible: (interrupt) => (stop = interrupt),
  });
  const said = (text: string, times: number): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    check = () => {
      if (all.split(text).length > times) resolve(all);
    };
    check();
    return promise;
  };
  return { ended, stop: () => stop(), said };
}

test("the first run is at once, the next when it is due; only changes are told; a stop is its good end", async () => {
  holdImage(from, "a/b:v1");
  const file = { text: `schedule: 1h\nsync: [{ from: ${from.host}/a/b, to: ${to.host}/x }]` };
  const { ended, stop, said } = going(file);
  expect(await said("the next run is at", 1)).toContain("1 copied, 0 skipped");
  holdImage(from, "a/b:v2");
  await clock.untilDueIn(30_000);
  clock.advance(3_599_000);
  expect(digestAt(to, "x:v2")).toBeUndefined();
  await clock.untilDueIn(1000);
  clock.advance(1000);
  const second = await said("the next run is at", 2);
  expect(second).toContain("1 copied, 1 skipped");
  expect(second.match(/a\/b:v1 -> /g)).toHaveLength(1);
  stop();
  expect(await ended).toMatchObject({ status: 0 });
});

test("a file that changes is read again and run at once; one that is wrong is passed over", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "c:v1");
  const file = { text: `schedule: 1h\nsync: [{ from: ${from.host}/a/b, to: ${to.host}/x }]` };
  const { ended, stop, said } = going(file);
  await said("the next run is at", 1);
  file.text = "sync: nonsense";
  await clock.untilDueIn(30_000);
  clock.advance(30_000);
  await said("it stays as it was read before", 1);
  file.text = `schedule: 1h\nsync: [{ from: ${from.host}/c, to: ${to.host}/c }]`;
  await clock.untilDueIn(30_000);
  clock.advance(30_000);
  await said("the next run is at", 2);
  expect(digestAt(to, "c:v1")).toBeDefined();
  stop();
  expect(await ended).toMatchObject({ status: 0 });
});

test("a source that is down in one run is there in the next", async () => {
  let isDown = true;
  await using flaky = new LoopbackRegistry({
    instead: () => (isDown ? new Response(null, { status: 403 }) : undefined),
  });
  holdImage(flaky, "a/b:v1");
  const { ended, stop, said } = going({ text: `schedule: 5m\nsync: [{ from: ${flaky.host}/a/b, to: ${to.host}/x }]` });
  expect(await said("the next run is at", 1)).toContain("1 not listed");
  isDown = false;
  await clock.untilDueIn(30_000);
  clock.advance(300_000);
  expect(await said("the next run is at", 2)).toContain("1 copied");
  stop();
  await ended;
});
