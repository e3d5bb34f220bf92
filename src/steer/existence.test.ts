import { expect, test } from "bun:test";
import { createManualClock, type ManualClock } from "../registry/testing/manual-clock.ts";
import type { Presence } from "./events.ts";
import { type ExistenceLimits, existenceLimits, ProbedExistence, type Subject } from "./existence.ts";
import { createScriptedProbe, type ScriptedProbe } from "./testing/scripted-probe.ts";
import { holders } from "./testing/holders.ts";

interface World extends ScriptedProbe {
  readonly existence: ProbedExistence;
  readonly clock: ManualClock;
  readonly events: readonly string[];
}

function world(statuses: Readonly<Record<string, number>> = {}, limits: Partial<ExistenceLimits> = {}): World {
  const scripted = createScriptedProbe(statuses);
  const clock = createManualClock();
  const events: string[] = [];
  const existence = new ProbedExistence({
    probe: scripted.probe,
    clock,
    random: () => 0,
    events: {
      probed: (holder, presence, durationMs) => events.push(`${holder} ${presence} ${durationMs}`),
      skipped: (holder, reason) => events.push(`${holder} skipped ${reason}`),
      breaker: (holder, state) => events.push(`${holder} ${state}`),
    },
    limits: { ...existenceLimits, ...limits },
  });
  return { ...scripted, existence, clock, events };
}

const subject = (name: string, holder: Subject["holder"] = holders.first): Subject => ({
  location: `${holder.url}/${name}`,
  holder,
});
const a = subject("a");
const client = "192.0.2.1";

test("who asks while a HEAD is under way gets its answer; then it is known without asking", async () => {
  const { existence, asked, pending, clock, events } = world();
  const answers = Array.from({ length: 100 }, (_, i) => existence.ask(a, `192.0.2.${i}`));
  expect(asked).toEqual([a.location]);
  expect(existence.known(a)).toBeUndefined();
  clock.advance(30);
  await pending(a.location).answer(200);
  expect(new Set(await Promise.all(answers.map(async (answer) => await answer)))).toEqual(new Set<Presence>(["held"]));
  expect(existence.ask(a, client)).toBe("held");
  expect(existence.known(a)).toBe("held");
  expect(asked).toHaveLength(1);
  expect(events).toEqual(["first held 30"]);
  expect(existence.runningProbes).toBe(0);
  expect(clock.pending()).toBe(0);
});

test.each<[number, Presence, number]>([
  [200, "held", 3_600_000],
  [404, "absent", 60_000],
  [403, "absent", 60_000],
  [503, "unknown", 5000],
  [307, "unknown", 5000],
])("%p is known as %s for %p ms", async (status, presence, keptMs) => {
  const { existence, clock, asked } = world({ [a.location]: status });
  expect(await existence.ask(a, client)).toBe(presence);
  clock.advance(keptMs - 1);
  expect(existence.known(a)).toBe(presence);
  clock.advance(1);
  expect(existence.known(a)).toBeUndefined();
  await existence.ask(a, client);
  expect(asked).toHaveLength(2);
});

test("a HEAD without an answer ends after its time, and a probe that throws is no answer", async () => {
  const { existence, clock, pending } = world();
  const answer = existence.ask(a, client);
  const { signal } = pending(a.location);
  clock.advance(1999);
  expect(signal.aborted).toBeFalse();
  clock.advance(1);
  expect(signal.aborted).toBeTrue();
  expect(await answer).toBe("unknown");
  const broken = new ProbedExistence({
    probe: () => Promise.reject(new Error("broken")),
    clock,
    random: () => 0,
    events: { probed: () => undefined, skipped: () => undefined, breaker: () => undefined },
  });
  expect(await broken.ask(a, client)).toBe("unknown");
  expect(broken.runningProbes).toBe(0);
});

test("a bucket that fails is left alone, tried by one HEAD after a while, and asked again once that is answered", async () => {
  const { existence, clock, asked, pending, events } = world();
  for (let i = 0; i < 5; i++) {
    const answer = existence.ask(subject(`fault-${i}`), client);
    await pending(subject(`fault-${i}`).location).answer(i % 2 === 0 ? 500 : undefined);
    expect(await answer).toBe("unknown");
  }
  expect(existence.ask(a, client)).toBe("unknown");
  expect(existence.known(a)).toBeUndefined();
  expect(asked).toHaveLength(5);
  clock.advance(1000);
  const trial = existence.ask(a, client);
  expect(trial).toBeInstanceOf(Promise);
  expect(existence.ask(subject("b"), client)).toBe("unknown");
  expect(existence.ask(a, client)).toBe(trial);
  await pending(a.location).answer(404);
  expect(await trial).toBe("absent");
  expect(existence.ask(subject("b"), client)).toBeInstanceOf(Promise);
  expect(events.filter((event) => !event.includes("unknown"))).toEqual([
    "first open",
    "first skipped breaker",
    "first skipped breaker",
    "first closed",
    "first absent 0",
  ]);
});

test("one holder's failures and waits are its own", async () => {
  const { existence, asked, pending } = world({}, { maxProbesPerHolder: 2 });
  const other = subject("a", holders.second);
  for (let i = 0; i < 5; i++) {
    void existence.ask(subject(`fault-${i}`), client);
    await pending(subject(`fault-${i}`).location).answer(503);
  }
  expect(existence.ask(a, client)).toBe("unknown");
  const waiting = [existence.ask(other, client), existence.ask(subject("b", holders.second), client)];
  expect(waiting.every((answer) => answer instanceof Promise)).toBeTrue();
  expect(existence.ask(subject("c", holders.second), client)).toBe("unknown");
  expect(existence.ask(subject("c", holders.registry), client)).toBeInstanceOf(Promise);
  await pending(other.location).answer(200);
  expect(existence.ask(subject("c", holders.second), client)).toBeInstanceOf(Promise);
  expect(asked).toHaveLength(5 + 4);
});

test.each([403, 404, 401, 307, 400])("answers of %p open no breaker", async (status) => {
  const { existence, asked, pending } = world();
  for (let i = 0; i < 20; i++) {
    void existence.ask(subject(`${i}`), client);
    await pending(subject(`${i}`).location).answer(status);
  }
  expect(asked).toHaveLength(20);
});

test("random digests cost no more than their client may cause, and others are not held up", async () => {
  const { existence, asked, pending, clock, events } = world();
  let sent = 0;
  for (let i = 0; i < 5000; i++) {
    const random = subject(`random-${i}`);
    if (existence.ask(random, client) !== "unknown") {
      sent += 1;
      await pending(random.location).answer(404);
    }
  }
  expect([sent, asked.length]).toEqual([100, 100]);
  expect(events.filter((event) => event === "first skipped client")).toHaveLength(4900);
  expect(existence.ask(a, "198.51.100.7")).toBeInstanceOf(Promise);
  clock.advance(1000);
  const later = Array.from({ length: 100 }, (_, i) => existence.ask(subject(`later-${i}`), client));
  expect(later.filter((answer) => answer instanceof Promise)).toHaveLength(20);
});

test("without other limits one holder is asked by 64 HEADs at once, and all together by 256", async () => {
  const { existence } = world();
  const running = (name: string): number => {
    const holder = { ...holders.first, name, url: `https://${name}.example` };
    const asked = Array.from({ length: 100 }, (_, i) => existence.ask(subject(`${i}`, holder), `192.0.2.${i}`));
    return asked.filter((answer) => answer instanceof Promise).length;
  };
  expect(["a", "b", "c", "d", "e"].map(running)).toEqual([64, 64, 64, 64, 0]);
});

test("no more HEADs are under way than the limit, from however many clients", async () => {
  const { existence, asked, pending, clock } = world({}, { maxProbes: 8, maxProbesPerHolder: 100 });
  const answers = Array.from({ length: 1000 }, (_, i) => existence.ask(subject(`${i}`), `192.0.2.${i % 250}`));
  expect(answers.filter((answer) => answer instanceof Promise)).toHaveLength(8);
  expect([asked.length, existence.runningProbes, clock.pending()]).toEqual([8, 8, 8]);
  await pending(subject("0").location).answer(404);
  expect(existence.ask(a, client)).toBeInstanceOf(Promise);
});
