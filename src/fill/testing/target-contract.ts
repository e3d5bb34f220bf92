import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, digestFrom } from "../../reference/digest.ts";
import type { BlobTarget, SpooledBlob } from "../target.ts";

/** A target of one kind, empty, for one test. */
export interface TargetWorld extends AsyncDisposable {
  readonly target: BlobTarget;
  /** Puts bytes under a name without being asked whether they are right. */
  plant(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Everything that is there, by name. */
  names(): Promise<readonly string[]>;
}

/** The contract of every target: each kind runs these same tests. */
export function targetContract(kind: string, open: () => Promise<TargetWorld>): void {
  let world: TargetWorld;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "periplus-spooled-"));
    world = await open();
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await world[Symbol.asyncDispose]();
  });

  const { signal } = new AbortController();
  const spooled = (bytes: Uint8Array, digest: Digest = digestOf(bytes)): SpooledBlob => {
    const path = join(folder, crypto.randomUUID());
    writeFileSync(path, bytes);
    return { digest, sizeBytes: bytes.byteLength, path };
  };
  const read = async (digest: Digest, startByte = 0): Promise<string> => {
    const answer = await world.target.open(digest, startByte, { signal, timeoutMs: 10_000 });
    if (answer.kind !== "found") return answer.kind;
    const bytes = await new Response(answer.body).bytes();
    return new TextDecoder().decode(bytes.subarray(startByte - answer.startByte));
  };

  test.each<[string, number, "sha256" | "sha512"]>([
    ["nothing at all", 0, "sha256"],
    ["a few bytes", 11, "sha256"],
    ["a megabyte", 1_000_000, "sha256"],
    ["a megabyte under sha512", 1_000_000, "sha512"],
  ])(`${kind}: %s is put, and is there as it was`, async (_, sizeBytes, algorithm) => {
    const bytes = textOf(sizeBytes);
    const digest = digestOf(bytes, algorithm);
    expect(await world.target.put(spooled(bytes, digest), signal)).toEqual({ kind: "put" });
    expect(await world.names()).toEqual([digest]);
    expect(await read(digest)).toBe(new TextDecoder().decode(bytes));
    const held = await world.target.held([digest], signal);
    expect([...held.sizes]).toEqual([[digest, sizeBytes]]);
  });

  test(`${kind}: it is read from where it was cut`, async () => {
    const bytes = textOf(100);
    await world.target.put(spooled(bytes), signal);
    expect(await read(digestOf(bytes), 95)).toBe(new TextDecoder().decode(bytes.subarray(95)));
  });

  test.each([3, 150])(`${kind}: of %i it says which are there, and how large`, async (count) => {
    const blobs = Array.from({ length: count }, (_, at) => new TextEncoder().encode(`blob ${at}`));
    const [first = textOf(1), second = textOf(2)] = blobs;
    for (const bytes of [first, second]) await world.target.put(spooled(bytes), signal);
    await world.plant("sha256:other", textOf(5));
    await world.plant("index.html", textOf(5));
    const held = await world.target.held(
      blobs.map((bytes) => digestOf(bytes)),
      signal,
    );
    expect(new Map(held.sizes)).toEqual(
      new Map([first, second].map((bytes) => [digestOf(bytes), bytes.byteLength] as const)),
    );
    expect([held.unknown.size, held.failure]).toEqual([0, undefined]);
  });

  test(`${kind}: put again it is there already`, async () => {
    const bytes = textOf(10);
    await world.target.put(spooled(bytes), signal);
    expect(await world.target.put(spooled(bytes), signal)).toEqual({ kind: "already-there" });
    expect(await world.names()).toEqual([digestOf(bytes)]);
  });

  test(`${kind}: two who put the same at once both succeed`, async () => {
    const bytes = textOf(100_000);
    const answers = await Promise.all([spooled(bytes), spooled(bytes)].map((blob) => world.target.put(blob, signal)));
    expect(answers.filter(({ kind: is }) => is !== "put" && is !== "already-there")).toEqual([]);
    expect(await world.names()).toEqual([digestOf(bytes)]);
  });

  test(`${kind}: something of another size is not overwritten, and once it is taken away no more in the way`, async () => {
    const bytes = textOf(10);
    const digest = digestOf(bytes);
    await world.plant(digest, textOf(7));
    expect([...(await world.target.held([digest], signal)).sizes]).toEqual([[digest, 7]]);
    expect(await world.target.put(spooled(bytes), signal)).toMatchObject({ kind: "unavailable", status: 412 });
    expect(await read(digest)).toHaveLength(7);
    expect(await world.target.remove(digest, signal)).toEqual({ kind: "removed" });
    expect(await world.target.remove(digest, signal)).toEqual({ kind: "removed" });
    expect(await read(digest)).toBe("absent");
    expect(await world.target.put(spooled(bytes), signal)).toEqual({ kind: "put" });
  });

  test(`${kind}: wrong bytes never get a name`, async () => {
    const digest = digestOf(textOf(10));
    const wrong = spooled(new TextEncoder().encode("0123456789"), digest);
    expect(await world.target.put(wrong, signal)).toMatchObject({ kind: "unavailable" });
    expect(await world.names()).toEqual([]);
  });

  test(`${kind}: stopped, nothing is left`, async () => {
    const stop = AbortSignal.abort();
    expect(await world.target.put(spooled(textOf(1_000_000)), stop)).toMatchObject({
      kind: "unavailable",
      reason: "cancelled",
    });
    expect(await world.names()).toEqual([]);
  });
}

function textOf(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode("periplus ".repeat(Math.ceil(sizeBytes / 9)).slice(0, sizeBytes));
}

function digestOf(bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}
