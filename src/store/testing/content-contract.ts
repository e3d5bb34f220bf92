import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestFrom } from "../../reference/digest.ts";
import type { ByteRange } from "../../registry/remote.ts";
import type { ContentStore } from "../content.ts";
import type { Layout } from "../layout.ts";

/** A store of one kind, empty, for one test. */
export interface ContentWorld extends AsyncDisposable {
  readonly content: ContentStore;
  readonly layout: Layout;
}

/** The contract of every store of content: each kind runs these same tests. */
export function contentContract(kind: string, open: () => Promise<ContentWorld>): void {
  const opened: { world?: ContentWorld } = {};
  const worldNow = (): ContentWorld => {
    if (opened.world === undefined) throw new Error("no store is open");
    return opened.world;
  };
  beforeEach(async () => {
    opened.world = await open();
  });
  afterEach(async () => opened.world?.[Symbol.asyncDispose]());
  publishedContract(kind, worldNow);
  useContract(kind, worldNow);
  againContract(kind, worldNow);
  draftContract(kind, worldNow);
}

function publishedContract(kind: string, worldNow: () => ContentWorld): void {
  test.each([
    [0, undefined],
    [3, undefined],
    [2, 5],
    [0, 1],
  ])(`${kind}: what is held is read from %p up to %p`, async (startByte, endByte) => {
    const bytes = new TextEncoder().encode("periplus");
    const digest = await publish(worldNow().content, bytes);
    expect(await read(worldNow().content, digest, { startByte, endByte, sizeBytes: bytes.byteLength })).toEqual(
      bytes.slice(startByte, endByte),
    );
  });

  test.each(["sha256", "sha512"] as const)(`${kind}: nothing at all is content too, under %s`, async (algorithm) => {
    const digest = await publish(worldNow().content, new Uint8Array(0), algorithm);
    expect(await worldNow().content.stat(digest)).toBe(0);
  });

  test(`${kind}: a megabyte under sha512 is what it was`, async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const large = new Uint8Array(1_048_576).map((_, i) => bytes[i % bytes.length] ?? 0);
    const digest = await publish(worldNow().content, large, "sha512");
    const whole = { startByte: 0, endByte: undefined, sizeBytes: large.byteLength };
    expect(digestOf(await read(worldNow().content, digest, whole), "sha512")).toBe(digest);
  });

  test(`${kind}: published twice it is there once, and removed it is gone, and removed again that is no error`, async () => {
    const { content } = worldNow();
    const digest = await publish(content, new Uint8Array([7]));
    expect(await publish(content, new Uint8Array([7]))).toBe(digest);
    expect(await all(content)).toEqual([digest]);
    await content.remove(digest);
    await content.remove(digest);
    expect(await content.stat(digest)).toBeUndefined();
    expect(await all(content)).toEqual([]);
  });
}

function useContract(kind: string, worldNow: () => ContentWorld): void {
  test(`${kind}: what is being read is in use, by several too, until the last has read it`, async () => {
    const { content } = worldNow();
    const bytes = new Uint8Array(8 * 1024 * 1024);
    const digest = await publish(content, bytes);
    await publish(content, new Uint8Array([7]));
    expect([...(await content.inUse())]).toEqual([]);
    const readers = [];
    for (let nth = 0; nth < 2; nth++) readers.push((await streamOf(content, digest, bytes.byteLength)).getReader());
    for (const reader of readers) {
      await reader.read();
      expect([...(await content.inUse())]).toEqual([digest]);
    }
    await readers[0]?.cancel();
    expect([...(await content.inUse())]).toEqual([digest]);
    while (!(await readers[1]?.read())?.done);
    while ((await content.inUse()).size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test(`${kind}: work on one digest takes turns`, async () => {
    const digest = digestOf(new Uint8Array([1]));
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    };
    await Promise.all([worldNow().content.alone(digest, work("a")), worldNow().content.alone(digest, work("b"))]);
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });
}

function againContract(kind: string, worldNow: () => ContentWorld): void {
  test(`${kind}: a draft of held content, where there are such, outlasts the content and can be published in its place`, async () => {
    const { content, layout } = worldNow();
    const bytes = new Uint8Array([1, 2, 3]);
    const digest = await publish(content, bytes);
    const draft = await content.again(digest);
    await content.remove(digest);
    if (draft !== undefined) {
      expect([...(await draft.read(0, 9))]).toEqual([...bytes]);
      await content.publish(draft, digest);
      await draft.close();
      expect(await read(content, digest, { startByte: 0, endByte: undefined, sizeBytes: 3 })).toEqual(bytes);
    }
    expect(readdirSync(layout.fills)).toEqual([]);
  });

  test(`${kind}: a draft of held content that is discarded leaves the content`, async () => {
    const { content, layout } = worldNow();
    const digest = await publish(content, new Uint8Array([7]));
    const draft = await content.again(digest);
    await draft?.discard();
    await draft?.close();
    expect([readdirSync(layout.fills), await content.stat(digest)]).toEqual([[], 1]);
  });

  test(`${kind}: of what is not held there is no draft`, async () => {
    expect(await worldNow().content.again(digestOf(new Uint8Array([1])))).toBeUndefined();
  });
}

function draftContract(kind: string, worldNow: () => ContentWorld): void {
  test(`${kind}: a draft is readable while it grows, when it is published, and leaves nothing behind`, async () => {
    const { content, layout } = worldNow();
    const bytes = new Uint8Array([1, 2, 3]);
    const digest = digestOf(bytes);
    const draft = await content.begin(digest);
    await draft.write([bytes.slice(0, 2), bytes.slice(2)], 0);
    expect([...(await draft.read(1, 9))]).toEqual([2, 3]);
    expect(await content.stat(digest)).toBeUndefined();
    await content.publish(draft, digest);
    expect([...(await draft.read(0, 1))]).toEqual([1]);
    await draft.close();
    expect(readdirSync(layout.fills)).toEqual([]);
    expect(await content.stat(digest)).toBe(3);
  });

  test(`${kind}: a discarded draft leaves nothing, and stays readable for who has it open`, async () => {
    const { content, layout } = worldNow();
    const draft = await content.begin(digestOf(new Uint8Array([7])));
    await draft.write([new Uint8Array([7])], 0);
    await draft.discard();
    expect(readdirSync(layout.fills)).toEqual([]);
    expect([...(await draft.read(0, 1))]).toEqual([7]);
    await draft.close();
    expect(await all(content)).toEqual([]);
  });

  test(`${kind}: drafts that were left are swept`, async () => {
    const { content, layout } = worldNow();
    writeFileSync(join(layout.fills, "left.0.part"), "x");
    expect(await content.sweepDrafts()).toBe(1);
    expect(existsSync(join(layout.fills, "left.0.part"))).toBe(false);
  });
}

function digestOf(bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}

async function publish(
  content: ContentStore,
  bytes: Uint8Array<ArrayBuffer>,
  algorithm: "sha256" | "sha512" = "sha256",
): Promise<Digest> {
  const digest = digestOf(bytes, algorithm);
  const draft = await content.begin(digest);
  await draft.write([bytes], 0);
  await content.publish(draft, digest);
  await draft.close();
  return digest;
}

async function read(
  content: ContentStore,
  digest: Digest,
  { startByte, endByte, sizeBytes }: { startByte: number; endByte: number | undefined; sizeBytes: number },
): Promise<Uint8Array> {
  return new Response(await streamOf(content, digest, sizeBytes, { startByte, endByte })).bytes();
}

async function streamOf(
  content: ContentStore,
  digest: Digest,
  sizeBytes: number,
  range: ByteRange = { startByte: 0, endByte: undefined },
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const held = content.held(digest, sizeBytes);
  if (held === undefined) throw new Error(`${digest} is not held`);
  if (held.kind === "file") return Bun.file(held.path).slice(range.startByte, range.endByte).stream();
  const opened = await held.open(range, new AbortController().signal);
  if (opened.kind !== "found") throw new Error(`${digest} cannot be opened: ${opened.kind}`);
  return opened.body;
}

async function all(content: ContentStore): Promise<readonly string[]> {
  const found: string[] = [];
  for (const shard of await content.shards()) found.push(...(await content.list(shard)));
  return found;
}
