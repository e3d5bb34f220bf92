import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatchWriter } from "./batch.ts";
import { schema, type Write, type WriteRequest } from "./statements.ts";

let folder: string;
let database: Database;
let writer: BatchWriter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-batch-"));
  database = new Database(join(folder, "index.db"), { create: true });
  database.run(schema);
  writer = new BatchWriter(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const link = (digest: string): Write => ["link", "registry.test", "a", digest];
const unlink = (digest: string): Write => ["unlink", "registry.test", "a", digest];
/** A statement without its values: SQLite refuses it. */
const broken: Write = ["link", "registry.test", null, "x"];

function links(): readonly string[] {
  const rows = database.query<{ digest: string }, []>("SELECT digest FROM links ORDER BY digest").all();
  return rows.map(({ digest }) => digest);
}

test.each<[string, readonly Omit<WriteRequest, "id">[], number]>([
  ["of the cache", [{ writes: [link("a")] }], 1],
  ["that is to be durable", [{ writes: [link("a")], isDurable: true }], 2],
  ["with one that is to be durable", [{ writes: [link("a")] }, { writes: [link("b")], guards: 1, isDurable: true }], 2],
])("a batch %s is committed with the sync that it needs", (_, requests, synchronous) => {
  writer.write(requests.map((request, id) => ({ id, ...request })));
  const pragma = database.query<{ synchronous: number }, []>("PRAGMA synchronous").get();
  expect([pragma?.synchronous, database.query("PRAGMA journal_mode").get()]).toEqual([
    synchronous,
    { journal_mode: "wal" },
  ]);
});

test("a batch after a durable one waits for no disk", () => {
  writer.write([{ id: 1, writes: [link("a")], isDurable: true }]);
  writer.write([{ id: 2, writes: [link("b")] }]);
  expect(database.query("PRAGMA synchronous").get()).toEqual({ synchronous: 1 });
});

test("a guard that changes nothing refuses its request, and no other of the batch", () => {
  const replies = writer.write([
    { id: 1, writes: [link("a")] },
    { id: 2, writes: [unlink("a"), unlink("none"), link("b")], guards: 2 },
    { id: 3, writes: [unlink("a"), link("c")], guards: 1 },
    { id: 4, writes: [unlink("none"), link("d")] },
  ]);
  expect(replies.map(({ id, error, refusedAt }) => [id, error, refusedAt])).toEqual([
    [1, undefined, undefined],
    [2, undefined, 1],
    [3, undefined, undefined],
    [4, undefined, undefined],
  ]);
  expect(links()).toEqual(["c", "d"]);
});

test("a request that fails leaves nothing, and its neighbours are written", () => {
  const replies = writer.write([
    { id: 1, writes: [link("a")] },
    { id: 2, writes: [link("b"), broken] },
    { id: 3, writes: [link("c"), unlink("none")], guards: 2 },
  ]);
  expect(replies.map(({ id, error, refusedAt }) => [id, error !== undefined, refusedAt])).toEqual([
    [1, false, undefined],
    [2, true, undefined],
    [3, false, 1],
  ]);
  expect(links()).toEqual(["a"]);
  expect(database.inTransaction).toBe(false);
});
