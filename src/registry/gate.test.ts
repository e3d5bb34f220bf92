import { expect, test } from "bun:test";
import { type Entering, Gate } from "./gate.ts";

const never = new AbortController().signal;

async function settledOf(entries: readonly Entering[]): Promise<readonly string[]> {
  const waiting = Promise.resolve("waits");
  return await Promise.all(
    entries.map((entry) => {
      const entered = Promise.resolve(entry).then((place) => (place ? "in" : "left"));
      return Promise.race([entered, waiting.then((x) => x)]);
    }),
  );
}

test("as many as there are places are in, the rest follow in order", async () => {
  const gate = new Gate(2);
  const entries = [gate.enter(never), gate.enter(never), gate.enter(never), gate.enter(never)];
  const [first] = [await entries[0], await entries[1]];
  expect(await settledOf(entries.slice(2))).toEqual(["waits", "waits"]);
  first?.release();
  first?.release();
  await entries[2];
  expect(await settledOf(entries.slice(3))).toEqual(["waits"]);
});

test("who leaves is passed over, and a place is free again when nobody waits", async () => {
  const gate = new Gate(1);
  const first = await gate.enter(never);
  const impatient = new AbortController();
  const second = gate.enter(impatient.signal);
  const third = gate.enter(never);
  impatient.abort();
  expect(await second).toBeUndefined();
  first?.release();
  (await third)?.release();
  expect(await gate.enter(never)).toBeDefined();
});

test("a signal that has ended already takes no place", async () => {
  const gate = new Gate(1);
  expect(await gate.enter(AbortSignal.abort())).toBeUndefined();
  expect(await gate.enter(never)).toBeDefined();
});

test("a signal that ends later does not take the place back", async () => {
  const gate = new Gate(1);
  const first = await gate.enter(never);
  const caller = new AbortController();
  const second = gate.enter(caller.signal);
  first?.release();
  expect(await second).toBeDefined();
  caller.abort();
  const third = gate.enter(never);
  expect(await settledOf([third])).toEqual(["waits"]);
});
