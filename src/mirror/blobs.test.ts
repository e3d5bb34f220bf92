import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Repository } from "../reference/repository.ts";
import type { Answer, BlobStream } from "../registry/remote.ts";
import type { Rule } from "../rules/rule.ts";
import { type ContentStore, openFileContent } from "../store/content.ts";
import type { ContentIndex } from "../store/content-index.ts";
import { type Layout, layoutOf } from "../store/layout.ts";
import { openSqliteIndexes } from "../store/sqlite/sqlite-index.ts";
import { faultyContent } from "../store/testing/faulty-content.ts";
import { BlobMirror, type BlobOutcome } from "./blobs.ts";
import type { Span } from "./fill-stream.ts";
import { sweepContent } from "./housekeeping.ts";
import type { Pull } from "./pull.ts";
import { Quota } from "./quota.ts";
import { openFill } from "./ranged.ts";
import { body, type BodyStep, digestOf, down, FakeRegistry, latch } from "./testing/fake-registry.ts";

const pieces = [1, 2, 3].map((n) => new Uint8Array(300_000).fill(n));
const blob = Buffer.concat(pieces) as unknown as Uint8Array<ArrayBuffer>;
const digest = digestOf(blob);
const whole: Span = { startByte: 0, endByte: undefined };
const rule: Rule = {
  id: "r",
  origin: { kind: "default" },
  match: { kind: "rest" },
  upstream: undefined,
  serve: "cache",
  freshForMs: 1,
  serveStaleForMs: 1,
  maxSizeBytes: undefined,
};

let layout: Layout;
let index: ContentIndex;
let content: ContentStore;
let registry: FakeRegistry;
let mirror: BlobMirror;
let quota: Quota;
let pull: Pull;
let other: Pull;
let log: string[];
let nowMs: number;

beforeEach(async () => {
  nowMs = 1_000_000_000;
  log = [];
  layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-mirror-")));
  content = await openFileContent(layout);
  index = openSqliteIndexes(layout.index).content;
  registry = new FakeRegistry();
  pull = { place: { upstream: registry.host, repository: "a/b" as Repository }, rule };
  other = { place: { upstream: registry.host, repository: "c" as Repository }, rule };
  mirror = make(content);
});
afterEach(async () => {
  await settled();
  await index.close();
  rmSync(layout.root, { recursive: true });
});

function make(store: ContentStore): BlobMirror {
  quota = new Quota(
    index,
    store,
    () => nowMs,
    (count) => log.push(`evicted ${count}`),
  );
  return new BlobMirror({
    index,
    content: store,
    quota,
    registryOf: () => registry,
    limits: { headersMs: 1000, resumes: 2 },
    nowMs: () => nowMs,
    events: {
      wrongBytes: () => log.push("wrong bytes"),
      notKept: () => log.push("not kept"),
      brokenOff: () => log.push("broken off"),
      evicted: () => undefined,
      fillStarted: () => log.push("started"),
      fillEnded: (_, bytes) => log.push(`ended ${bytes}`),
    },
  });
}

function offer(...steps: readonly BodyStep[]): void {
  offerAt("a/b", (startByte) => ({
    kind: "found",
    body: body(...from(steps, startByte)),
    startByte,
    sizeBytes: blob.byteLength,
  }));
}

function offerAt(repository: string, ...answers: readonly ((startByte: number) => Answer<BlobStream>)[]): void {
  registry.blobs.set(
    `${repository} ${digest}`,
    answers.map((answer) => async (startByte: number) => answer(startByte)),
  );
}

/** The steps of a body without its first bytes. */
function from(steps: readonly BodyStep[], startByte: number): BodyStep[] {
  let skip = startByte;
  return steps.flatMap((step): BodyStep[] => {
    if (!(step instanceof Uint8Array)) return [step];
    const part = step.subarray(Math.min(skip, step.byteLength));
    skip = Math.max(0, skip - step.byteLength);
    return part.byteLength === 0 ? [] : [part];
  });
}

async function bytesOf(outcome: BlobOutcome, span: Span = whole): Promise<Uint8Array> {
  if (outcome.kind === "held") {
    if (outcome.content.kind !== "file") throw new Error("not a file");
    return Bun.file(outcome.content.path).bytes();
  }
  if (outcome.kind !== "filling") throw new Error(outcome.kind);
  const opened = await openFill(outcome.fill, span);
  if (opened.kind === "unavailable") throw new Error(opened.message);
  return opened.kind === "whole" ? opened.bytes : new Response(opened.stream).bytes();
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "it did not fail",
    (error: unknown) => String(error),
  );
}

/** How a download ended, as its failure says. */
async function endOf(outcome: BlobOutcome): Promise<string> {
  const end = outcome.kind === "filling" ? await outcome.fill.ended : undefined;
  return end?.kind === "failed" ? end.failure.message : String(end?.kind);
}

async function settled(): Promise<void> {
  while (mirror.runningFills > 0) await new Promise((resolve) => setImmediate(resolve));
}

test("a cold blob is downloaded once for all, streamed to all, kept, and served from the file then", async () => {
  const gate = latch();
  offer(pieces[0]!, gate.opened, pieces[1]!, pieces[2]!);
  const clients = Array.from({ length: 20 }, async () => bytesOf(await mirror.open(pull, digest)));
  const late = clients[0]?.then(() => undefined);
  gate.open();
  for (const bytes of await Promise.all(clients)) expect(Bun.hash(bytes)).toBe(Bun.hash(blob));
  await late;
  await settled();
  expect(registry.count("GET blob")).toBe(1);
  const held = await mirror.open(pull, digest);
  expect(held.kind).toBe("held");
  expect(Bun.hash(await bytesOf(held))).toBe(Bun.hash(blob));
  expect(readdirSync(layout.fills)).toEqual([]);
  expect(registry.count("GET blob")).toBe(1);
});

test("a late client reads what is there and then follows", async () => {
  const gate = latch();
  offer(pieces[0]!, pieces[1]!, gate.opened, pieces[2]!);
  const first = await mirror.open(pull, digest);
  const opened = first.kind === "filling" ? await openFill(first.fill, whole) : undefined;
  const reader = opened?.kind === "stream" ? opened.stream.getReader() : undefined;
  expect((await reader?.read())?.value?.[0]).toBe(1);
  const late = bytesOf(await mirror.open(pull, digest));
  gate.open();
  expect(Bun.hash(await late)).toBe(Bun.hash(blob));
  await reader?.cancel();
});

test("the download outlives the client that began it", async () => {
  const gate = latch();
  offer(pieces[0]!, gate.opened, pieces[1]!, pieces[2]!);
  const first = await mirror.open(pull, digest);
  const opened = first.kind === "filling" ? await openFill(first.fill, whole) : undefined;
  if (opened?.kind === "stream") await opened.stream.cancel();
  gate.open();
  await settled();
  expect((await mirror.open(pull, digest)).kind).toBe("held");
});

test.each([
  ["cut short", (): BodyStep[] => [pieces[0]!, new Error("reset")]],
  ["cut in a piece", (): BodyStep[] => [pieces[0]!, pieces[1]!.subarray(0, 77), new Error("reset")]],
  ["ended early", (): BodyStep[] => [pieces[0]!]],
])("a body that is %s is resumed where it broke", async (_, broken) => {
  const size = blob.byteLength;
  const starts: number[] = [];
  offerAt(
    "a/b",
    () => ({ kind: "found", body: body(...broken()), startByte: 0, sizeBytes: size }),
    (startByte) => {
      starts.push(startByte);
      return { kind: "found", body: body(...from(pieces, startByte)), startByte, sizeBytes: size };
    },
  );
  expect(Bun.hash(await bytesOf(await mirror.open(pull, digest)))).toBe(Bun.hash(blob));
  expect(starts.length).toBe(1);
  expect(starts[0]).toBeGreaterThanOrEqual(pieces[0]!.byteLength);
  await settled();
  expect((await mirror.open(pull, digest)).kind).toBe("held");
});

test("an upstream that ignores Range on a resume is skipped forward", async () => {
  const answer = (steps: readonly BodyStep[]): Answer<BlobStream> => ({
    kind: "found",
    body: body(...steps),
    startByte: 0,
    sizeBytes: blob.byteLength,
  });
  offerAt(
    "a/b",
    () => answer([pieces[0]!, new Error("reset")]),
    () => answer(pieces),
  );
  expect(Bun.hash(await bytesOf(await mirror.open(pull, digest)))).toBe(Bun.hash(blob));
});

test("a body that keeps breaking ends in an error, and nothing is kept", async () => {
  offerAt("a/b", (startByte) => ({
    kind: "found",
    body: body(new Error("reset")),
    startByte,
    sizeBytes: blob.byteLength,
  }));
  const opened = await mirror.open(pull, digest);
  expect(await failureOf(bytesOf(opened))).not.toBe("it did not fail");
  expect(await endOf(opened)).toContain("broke off");
  await settled();
  expect(log).toContain("broken off");
  expect(registry.count("GET blob")).toBe(3);
  expect(readdirSync(layout.fills)).toEqual([]);
  expect(await index.blob(digest)).toBeUndefined();
});

test.each([
  ["other bytes", [pieces[0]!, pieces[1]!, new Uint8Array(300_000).fill(9)], blob.byteLength],
  ["one byte more", [...pieces, new Uint8Array([1])], blob.byteLength + 1],
  ["fewer bytes without a length", [pieces[0]!, pieces[1]!], undefined],
])("%s never reach a client as a complete body, and are not kept", async (_, steps, sizeBytes) => {
  offerAt("a/b", () => ({ kind: "found", body: body(...steps), startByte: 0, sizeBytes }));
  const outcome = await mirror.open(pull, digest);
  const opened = outcome.kind === "filling" ? await openFill(outcome.fill, whole) : undefined;
  let received = 0;
  const read = async (): Promise<void> => {
    if (opened?.kind !== "stream") throw new Error("no stream");
    for await (const piece of opened.stream) received += piece.byteLength;
  };
  expect(await failureOf(read())).not.toBe("it did not fail");
  expect(await endOf(outcome)).toContain("nothing was kept");
  expect(received).toBeLessThan(steps.reduce((sum, step) => sum + step.byteLength, 0));
  await settled();
  expect(log).toContain("wrong bytes");
  expect(log).not.toContain("broken off");
  expect(await index.blob(digest)).toBeUndefined();
  expect(readdirSync(layout.fills)).toEqual([]);
  expect((await mirror.open(pull, digest)).kind).toBe("unavailable");
});

test("a digest is no permission: another repository gets it only if its upstream has it there", async () => {
  offer(...pieces);
  await bytesOf(await mirror.open(pull, digest));
  await settled();
  expect((await mirror.open(other, digest)).kind).toBe("absent");
  nowMs += 61_000;
  registry.blobHeads.set(`c ${digest}`, [async () => ({ kind: "found", sizeBytes: blob.byteLength })]);
  expect((await mirror.open(other, digest)).kind).toBe("held");
  expect(registry.asked.filter(([method, repository]) => method === "GET blob" && repository === "a/b").length).toBe(1);
});

test("a running download is joined from another repository only with its upstream's word", async () => {
  const gate = latch();
  offer(pieces[0]!, gate.opened, pieces[1]!, pieces[2]!);
  const first = bytesOf(await mirror.open(pull, digest));
  expect((await mirror.open(other, digest)).kind).toBe("absent");
  nowMs += 61_000;
  registry.blobHeads.set(`c ${digest}`, [async () => ({ kind: "found", sizeBytes: blob.byteLength })]);
  const joined = await mirror.open(other, digest);
  expect(joined.kind === "filling" && joined.origin).toBe("joined");
  // That word is remembered, while it comes and once it is held.
  registry.blobHeads.clear();
  const again = await mirror.open(other, digest);
  expect(again.kind === "filling" && again.origin).toBe("joined");
  gate.open();
  await Promise.all([first, bytesOf(joined), bytesOf(again)]);
  expect(registry.count("GET blob")).toBe(1);
  await settled();
  expect((await mirror.open(other, digest)).kind).toBe("held");
});

test("absent is the upstream's own word and is held for a minute; no information is neither", async () => {
  expect((await mirror.open(pull, digest)).kind).toBe("absent");
  expect((await mirror.open(pull, digest)).kind).toBe("absent");
  expect(registry.count("GET blob")).toBe(1);
  nowMs += 60_001;
  offerAt("a/b", () => down());
  expect((await mirror.open(pull, digest)).kind).toBe("unavailable");
  expect((await mirror.open(pull, digest)).kind).toBe("unavailable");
  expect(registry.count("GET blob")).toBe(3);
});

test("HEAD of what is on its way in says its size without asking", async () => {
  const gate = latch();
  offer(pieces[0]!, gate.opened, ...pieces.slice(1));
  const outcome = await mirror.open(pull, digest);
  expect(await mirror.head(pull, digest)).toEqual({ kind: "found", sizeBytes: blob.byteLength, origin: "joined" });
  expect((await mirror.head(other, digest)).kind).toBe("absent");
  expect(registry.asked.filter(([method]) => method === "HEAD blob")).toEqual([["HEAD blob", "c", digest]]);
  gate.open();
  await bytesOf(outcome);
});

test("a client's first piece is small and the next ones are not, so that of many all have their first bytes soon", async () => {
  const gate = latch();
  offer(pieces[0]!, gate.opened, ...pieces.slice(1));
  const outcome = await mirror.open(pull, digest);
  if (outcome.kind !== "filling") throw new Error(outcome.kind);
  const opened = await openFill(outcome.fill, whole);
  if (opened.kind !== "stream") throw new Error(opened.kind);
  const lengths: number[] = [];
  for await (const bytes of opened.stream) {
    lengths.push(bytes.byteLength);
    gate.open();
  }
  expect(lengths[0]).toBe(16 * 1024);
  expect(lengths[1]).toBe(256 * 1024);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(blob.byteLength);
});

test("a range close to the write head waits for it, one far ahead is fetched on its own", async () => {
  const gate = latch();
  const big = Array.from({ length: 20 }, (_, n) => new Uint8Array(500_000).fill(n));
  const all = Buffer.concat(big) as unknown as Uint8Array<ArrayBuffer>;
  const bigDigest = digestOf(all);
  registry.blobs.set(`a/b ${bigDigest}`, [
    async (startByte) => ({
      kind: "found",
      body: body(...(startByte === 0 ? [big[0]!, gate.opened, ...big.slice(1)] : [all.subarray(startByte)])),
      startByte,
      sizeBytes: all.byteLength,
    }),
  ]);
  const outcome = await mirror.open(pull, bigDigest);
  const far = await bytesOf(outcome, { startByte: 9_000_000, endByte: 9_000_010 });
  expect([...far]).toEqual([...all.subarray(9_000_000, 9_000_010)]);
  expect(registry.count("GET blob")).toBe(2);
  const near = bytesOf(outcome, { startByte: 4_499_999, endByte: 4_500_001 });
  gate.open();
  expect([...(await near)]).toEqual([8, 9]);
  expect(registry.count("GET blob")).toBe(2);
});

test("a file that was lost is a miss and is fetched again", async () => {
  offer(...pieces);
  await bytesOf(await mirror.open(pull, digest));
  await settled();
  truncateSync(layout.blob(digest), 5);
  expect(Bun.hash(await bytesOf(await mirror.open(pull, digest)))).toBe(Bun.hash(blob));
  expect(registry.count("GET blob")).toBe(2);
});

function offerAnother(sizeBytes: number | undefined): Uint8Array {
  const next = new Uint8Array(900_000).fill(7);
  registry.blobs.set(`a/b ${digestOf(next)}`, [
    async () => ({ kind: "found", body: body(next), startByte: 0, sizeBytes }),
  ]);
  return next;
}

test("the quota evicts what was pulled longest ago, and never what is fresh", async () => {
  const small: Pull = { ...pull, rule: { ...rule, maxSizeBytes: 1_000_000 } };
  offer(...pieces);
  await bytesOf(await mirror.open(small, digest));
  await settled();
  const next = offerAnother(900_000);
  expect((await bytesOf(await mirror.open(small, digestOf(next)))).byteLength).toBe(900_000);
  await settled();
  expect(log).toContain("not kept");
  expect((await mirror.open(small, digest)).kind).toBe("held");
  await quota.flushPulls();
  nowMs += 11 * 60_000;
  expect((await bytesOf(await mirror.open(small, digestOf(next)))).byteLength).toBe(900_000);
  await settled();
  expect(log).toContain("evicted 1");
  expect(await index.blob(digest)).toBeUndefined();
  expect(content.held(digest, blob.byteLength)).toBeUndefined();
});

test("a blob that came without a size is counted when it is here, and makes room then", async () => {
  const small: Pull = { ...pull, rule: { ...rule, maxSizeBytes: 1_000_000 } };
  offer(...pieces);
  await bytesOf(await mirror.open(small, digest));
  await settled();
  await quota.flushPulls();
  nowMs += 11 * 60_000;
  const next = offerAnother(undefined);
  await endOf(await mirror.open(small, digestOf(next)));
  expect(await index.blob(digest)).toBeUndefined();
  expect(await quota.heldBytes(rule.id)).toBe(900_000);
});

test("on a full disk the pull goes on, and a client that lags continues by its own range", async () => {
  const big = Array.from({ length: 64 }, (_, n) => new Uint8Array(500_000).fill(n));
  const all = Buffer.concat(big) as unknown as Uint8Array<ArrayBuffer>;
  const bigDigest = digestOf(all);
  registry.blobs.set(`a/b ${bigDigest}`, [
    async (startByte) => ({ kind: "found", body: body(...from(big, startByte)), startByte, sizeBytes: all.byteLength }),
  ]);
  mirror = make(faultyContent({ roomBytes: 1_500_000 })(content));
  const slow = await mirror.open(pull, bigDigest);
  const opened = slow.kind === "filling" ? await openFill(slow.fill, whole) : undefined;
  const reader = opened?.kind === "stream" ? opened.stream.getReader() : undefined;
  const start = (await reader?.read())?.value;
  const fast = await bytesOf(await mirror.open(pull, bigDigest));
  expect(Bun.hash(fast)).toBe(Bun.hash(all));
  const rest: Uint8Array[] = [start!];
  for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read())
    rest.push(read.value);
  expect(Bun.hash(Buffer.concat(rest))).toBe(Bun.hash(all));
  await settled();
  expect(log).toContain("not kept");
  expect(registry.count("GET blob")).toBe(2);
  expect(readdirSync(layout.fills)).toEqual([]);
});

test("a download that is not kept and that nobody reads ends", async () => {
  const big = Array.from({ length: 40 }, (_, n) => new Uint8Array(500_000).fill(n));
  const all = Buffer.concat(big) as unknown as Uint8Array<ArrayBuffer>;
  const bigDigest = digestOf(all);
  registry.blobs.set(`a/b ${bigDigest}`, [
    async (startByte) => ({ kind: "found", body: body(...from(big, startByte)), startByte, sizeBytes: all.byteLength }),
  ]);
  const tiny: Pull = { ...pull, rule: { ...rule, maxSizeBytes: 1 } };
  expect((await mirror.open(tiny, bigDigest)).kind).toBe("filling");
  await settled();
  expect(log).toContain("not kept");
  expect(registry.count("GET blob")).toBe(1);
  expect(await index.blob(bigDigest)).toBeUndefined();
});

test("what is left between rename and row is swept, what is held is not", async () => {
  offer(...pieces);
  await bytesOf(await mirror.open(pull, digest));
  await settled();
  const orphan = digestOf(new Uint8Array([1]));
  const draft = await content.begin(orphan);
  await draft.write([new Uint8Array([1])], 0);
  await content.publish(draft, orphan);
  await draft.close();
  const pace = { signal: new AbortController().signal, pause: () => Promise.resolve() };
  expect(await sweepContent(content, index, pace)).toEqual({ checkedFiles: 2, removedFiles: 1 });
  expect(content.held(orphan, 1)).toBeUndefined();
  expect((await mirror.open(pull, digest)).kind).toBe("held");
});

test("HEAD of what is cold asks the upstream and downloads nothing; what is absent is not asked for again", async () => {
  registry.blobHeads.set(`a/b ${digest}`, [async () => ({ kind: "found", sizeBytes: 42 })]);
  expect(await mirror.head(pull, digest)).toEqual({ kind: "found", sizeBytes: 42, origin: "miss" });
  for (let i = 0; i < 2; i++) expect((await mirror.head(other, digest)).kind).toBe("absent");
  expect((await mirror.open(other, digest)).kind).toBe("absent");
  expect(registry.asked.map(([method]) => method)).toEqual(["HEAD blob", "HEAD blob"]);
});
