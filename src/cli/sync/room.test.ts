import { expect, test } from "bun:test";
import { parseHost } from "../../reference/host.ts";
import { inputOf } from "../../sync/testing/world.ts";
import { blobsAtOnceOf, placesFor } from "./room.ts";

const fileOf = (entry: string, budgets: readonly (readonly [string, number])[]): string =>
  JSON.stringify({
    registries: Object.fromEntries(budgets.map(([host, concurrent]) => [host, { budget: { concurrent } }])),
    sync: [JSON.parse(entry)],
  });

test.each([
  ['{"from":"a.io/x","to":"r.io/x"}', [], [6, 128, 128]],
  ['{"from":"a.io/x","to":"r.io/x"}', [["a.io", 1]], [1, 2, 128]],
  ['{"from":"a.io/x","to":"r.io/x"}', [["r.io", 4]], [3, 128, 4]],
  ['{"from":"r.io/a","to":"r.io/x"}', [["r.io", 1]], [1, 0, 3]],
  ['{"from":"r.io/a","to":"r.io/x"}', [["r.io", 8]], [3, 0, 8]],
  ['{"from":"a.io/x","to":"r.io/x","backup":"{tag}-old"}', [["r.io", 4]], [1, 128, 4]],
] as const)("%s with %j: blobs at once, places at a.io and at r.io %j", async (entry, budgets, expected) => {
  const input = await inputOf({ text: fileOf(entry, budgets) });
  const placesOf = (name: string): number => {
    const host = parseHost(name)!;
    const access = input.registries.get(host);
    return access === undefined ? 0 : placesFor(input, host, access.upstream.budget.concurrent);
  };
  expect([blobsAtOnceOf(input), placesOf("a.io"), placesOf("r.io")]).toEqual([...expected]);
});
