import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, digestFrom } from "../reference/digest.ts";
import { createManualClock } from "../registry/testing/manual-clock.ts";
import { unavailable } from "../registry/unavailable.ts";
import { systemClock } from "../registry/clock.ts";
import { s3Target } from "./s3-target.ts";
import { MemoryBucket } from "./testing/memory-bucket.ts";
import { targetContract } from "./testing/target-contract.ts";

const { signal } = new AbortController();

targetContract("S3 in memory", async () => {
  const bucket = new MemoryBucket();
  return {
    target: s3Target(bucket, systemClock),
    plant: async (name, bytes) => void bucket.objects.set(name, bytes),
    names: async () => [...bucket.objects.keys()],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

/** Digests that are spread as digests are. */
function digests(count: number): readonly Digest[] {
  return Array.from({ length: count }, (_, at) => {
    return digestFrom("sha256", new Bun.CryptoHasher("sha256").update(`${at}`).digest("hex"));
  });
}

const some = new Uint8Array(5);

function bucketOf(held: readonly Digest[], pageKeys?: number): MemoryBucket {
  const bucket = new MemoryBucket("s3://memory", pageKeys);
  for (const digest of held) bucket.objects.set(digest, some);
  return bucket;
}

test.each<[string, { wanted: number; held: number; pageKeys: number; lists: number; heads: number }]>([
  ["few are asked one by one", { wanted: 99, held: 10, pageKeys: 1000, lists: 0, heads: 99 }],
  ["many are listed", { wanted: 100, held: 1000, pageKeys: 1000, lists: 1, heads: 0 }],
  ["many of more pages than they cost", { wanted: 200, held: 5000, pageKeys: 100, lists: 1, heads: 100 }],
  ["of many pages, where so many are wanted", { wanted: 2000, held: 5000, pageKeys: 100, lists: 50, heads: 0 }],
])("%s", async (_, { wanted, held, pageKeys, lists, heads }) => {
  const all = digests(held + wanted);
  const bucket = bucketOf(all.slice(0, held), pageKeys);
  const from = held - Math.min(held, wanted >> 1);
  const asked = all.slice(from, from + wanted);
  const holdings = await s3Target(bucket, systemClock).held(asked, signal);
  expect(new Set(holdings.sizes.keys())).toEqual(new Set(asked.filter((digest) => bucket.objects.has(digest))));
  expect(holdings.unknown.size).toBe(0);
  expect(bucket.asked.lists).toBe(lists);
  expect(bucket.asked.heads).toBeGreaterThanOrEqual(heads === 0 ? 0 : heads - 10);
  expect(bucket.asked.heads).toBeLessThanOrEqual(heads === 0 ? 0 : wanted);
  expect(holdings.asked).toEqual({ lists: bucket.asked.lists, heads: bucket.asked.heads });
});

test("a bucket that may not be listed is asked one by one", async () => {
  const wanted = digests(120);
  const bucket = bucketOf(wanted.slice(0, 50));
  bucket.instead = (method) => (method === "list" ? unavailable("denied", "AccessDenied") : undefined);
  const { sizes, unknown, failure } = await s3Target(bucket, systemClock).held(wanted, signal);
  expect([sizes.size, unknown.size, failure]).toEqual([50, 0, undefined]);
});

test("one that gives no word is not asked on and on, and nothing is concluded", async () => {
  const wanted = digests(5000);
  const bucket = bucketOf(wanted);
  bucket.instead = () => unavailable("unreachable", "it is gone");
  const { sizes, unknown, failure } = await s3Target(bucket, systemClock).held(wanted, signal);
  expect([sizes.size, unknown.size, failure?.message]).toEqual([0, 5000, "it is gone"]);
  expect(bucket.asked.heads).toBeLessThan(100);
});

async function putting(
  bucket: MemoryBucket,
  clock = createManualClock(),
  stop: AbortSignal = signal,
): Promise<unknown> {
  const [digest = digestFrom("sha256", "0".repeat(64))] = digests(1);
  const path = join(tmpdir(), `periplus-s3-target-${crypto.randomUUID()}`);
  writeFileSync(path, "0");
  const put = s3Target(bucket, clock).put({ digest, sizeBytes: 1, path }, stop);
  const over = put.then(() => "over" as const);
  const soon = (): Promise<"soon"> => new Promise((resolve) => setImmediate(() => resolve("soon")));
  // Time passes only while somebody waits for it.
  while ((await Promise.race([over, soon()])) === "soon") if (clock.pending() > 0) clock.advance(60_000);
  return await put;
}

test("an object is put with what caches and clients are to know of it", async () => {
  const bucket = new MemoryBucket();
  expect(await putting(bucket)).toEqual({ kind: "put" });
  const [object] = bucket.puts;
  expect(object).toMatchObject({ cacheControl: "public, max-age=31536000, immutable", sizeBytes: 1 });
  expect(object?.mediaType ?? "application/octet-stream").toBe("application/octet-stream");
  expect(object?.key).toBe(object?.digest ?? "");
});

test.each([
  ["busy", unavailable("failed", "SlowDown", { status: 503 }), 4],
  ["unreachable", unavailable("unreachable", "gone"), 4],
  ["wanting to be left alone for long", unavailable("rate-limited", "later", { retryAfterMs: 600_000 }), 1],
  ["forbidden", unavailable("denied", "AccessDenied", { status: 403 }), 1],
  ["of another opinion", unavailable("failed", "BadDigest", { status: 400 }), 1],
])("a store that is %s gets its tries", async (_, answer, tries) => {
  const bucket = new MemoryBucket();
  bucket.instead = () => answer;
  expect(await putting(bucket)).toEqual(answer);
  expect(bucket.puts).toHaveLength(tries);
});

test("a store that is well again takes it", async () => {
  const bucket = new MemoryBucket();
  bucket.instead = () => (bucket.puts.length < 3 ? unavailable("failed", "SlowDown", { status: 503 }) : undefined);
  expect(await putting(bucket)).toEqual({ kind: "put" });
  expect(bucket.puts).toHaveLength(3);
});
