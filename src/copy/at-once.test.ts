import { expect, test } from "bun:test";
import { parseRepository } from "../reference/repository.ts";
import { eachByRegistry, forEachAtOnce, type Whom } from "./at-once.ts";

function at(registry: string, name: string): Whom {
  const repository = parseRepository("r");
  return { name, place: repository && { registry, repository } };
}

test("so many at once from each registry, folders each by themselves; what came of each in their order", async () => {
  const items = [at("a", "1"), at("a", "2"), at("a", "3"), at("b", "4"), { name: "oci:x", place: undefined }];
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const turns = items.map(() => Promise.withResolvers<void>());
  const done = eachByRegistry(
    items,
    (item) => item,
    2,
    async ({ name, place }) => {
      const registry = place?.registry ?? name;
      const now = (running.get(registry) ?? 0) + 1;
      running.set(registry, now);
      most.set(registry, Math.max(now, most.get(registry) ?? 0));
      await turns[items.findIndex((item) => item.name === name)]?.promise;
      running.set(registry, (running.get(registry) ?? 0) - 1);
      return `did ${name}`;
    },
  );
  for (const { resolve } of turns.toReversed()) {
    resolve();
    await Promise.resolve();
  }
  expect(await done).toEqual(["did 1", "did 2", "did 3", "did 4", "did oci:x"]);
  expect(Object.fromEntries(most)).toEqual({ a: 2, b: 1, "oci:x": 1 });
});

test("what is known at once is taken as what is waited for", async () => {
  const seen: number[] = [];
  await eachByRegistry(
    [1, 2, 3],
    () => at("a", "1"),
    1,
    (item) => {
      seen.push(item);
      return item === 1 ? Promise.resolve(item) : item;
    },
  );
  expect(seen).toEqual([1, 2, 3]);
});

test("after the signal nothing more is begun", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  const act = (item: number): void => {
    seen.push(item);
    if (item === 2) stop.abort();
  };
  await forEachAtOnce([1, 2, 3, 4], 1, act, stop.signal);
  expect(seen).toEqual([1, 2]);
});
