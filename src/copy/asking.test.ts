import { expect, test } from "bun:test";
import { down } from "./testing/fake-registry.ts";
import { testRun } from "./testing/world.ts";

const whom = { name: "a.example/x", place: undefined };

test("long waits are told, once for all that wait at the same time", async () => {
  const { parts, clock, notes } = testRun();
  const waiting = (waitMs: number, why: "asked" | "failing" = "asked") =>
    parts.asking.ask(whom, async ({ onWait }) => (onWait?.(waitMs, why), down("failed")));
  await Promise.all([waiting(30_000), waiting(29_000), waiting(500)]);
  expect(notes).toEqual(["a.example/x asks to be left alone: going on in 30 s"]);
  clock.advance(30_000);
  await waiting(10_000, "failing");
  expect(notes.slice(1)).toEqual(["a.example/x fails again and again: trying again in 10 s"]);
});

test("one registry's questions wait for their turn, another one's do not, and a stop ends the wait", async () => {
  const { parts, stop } = testRun();
  const never = Promise.withResolvers<{ readonly kind: "found" }>();
  const slow = Array.from({ length: 17 }, () => parts.asking.ask(whom, () => never.promise));
  expect(await parts.asking.ask({ name: "b.example/x", place: undefined }, async () => "answered" as const)).toBe(
    "answered",
  );
  stop.abort();
  expect(await slow.at(-1)).toMatchObject({ kind: "unavailable", reason: "cancelled" });
  never.resolve({ kind: "found" });
  expect(await slow[0]).toEqual({ kind: "found" });
});
