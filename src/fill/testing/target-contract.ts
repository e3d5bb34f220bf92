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

/** One test's world, and a folder for files to put. */
class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), "periplus-spooled-"));
  readonly world: TargetWorld;

  constructor(world: TargetWorld) {
    this.world = world;
  }

  get target(): BlobTarget {
    return this.world.target;
  }

  spooled(bytes: Uint8Array, digest: Digest = digestOf(bytes)): SpooledBlob {
    const path = join(this.#folder, crypto.randomUUID());
    writeFileSync(path, bytes);
    return { digest, sizeBytes: bytes.byteLength, path };
  }

  /** What is under a digest from a byte on, or why nothing is. */
  async read(digest: Digest, startByte = 0): Promise<string> {
    const answer = await this.target.open(digest, startByte, { signal, timeoutMs: 10_000 });
    if (answer.kind !== "found") return answer.kind;
    const bytes = await new Response(answer.body).bytes();
    return new TextDecoder().decode(bytes.subarray(startByte - answer.startByte));
  }

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    await this.world[Symbol.asyncDispose]();
  }
}

const { signal } = new AbortController();

/** The contract of every target: each kind runs these same tests. */
export function targetContract(kind: string, open: () => Promise<TargetWorld>): void {
  let bench: Bench;
  beforeEach(async () => {
    bench = new Bench(await open());
  });
  afterEach(() => bench.close());
  putsAndSays(kind, () => bench);
  refuses(kind, () => bench);
}

function putsAndSays(kind: string, bench: () => Bench): void {
  test.each<[string, number, "sha256" | "sha512"]>([
    ["nothing at all", 0, "sha256"],
    ["a few bytes", 11, "sha256"],
    ["a megabyte", 1_000_000, "sha256"],
    ["a megabyte under sha512", 1_000_000, "sha512"],
  ])(`${kind}: %s is put, and is there as it was`, async (_, sizeBytes, algorithm) => {
    const bytes = textOf(sizeBytes);
    const digest = digestOf(bytes, algorithm);
    expect(await bench().target.put(bench().spooled(bytes, digest), signal)).toEqual({ kind: "put" });
    expect(await bench().world.names()).toEqual([digest]);
    expect(await bench().read(digest)).toBe(new TextDecoder().decode(bytes));
    const held = await bench().target.held([digest], signal);
    expect([...held.sizes]).toEqual([[digest, sizeBytes]]);
  });

  test(`${kind}: it is read from where it was cut`, async () => {
    const bytes = textOf(100);
    await bench().target.put(bench().spooled(bytes), signal);
    expect(await bench().read(digestOf(bytes), 95)).toBe(new TextDecoder().decode(bytes.subarray(95)));
  });

  test.each([3, 150])(`${kind}: of %i it says which are there, and how large`, async (count) => {
    const blobs = Array.from({ length: count }, (_, at) => new TextEncoder().encode(`blob ${at}`));
    const [first = textOf(1), second = textOf(2)] = blobs;
    for (const bytes of [first, second]) await bench().target.put(bench().spooled(bytes), signal);
    await bench().world.plant("sha256:other", textOf(5));
    await bench().world.plant("index.html", textOf(5));
    const held = await bench().target.held(
      blobs.map((bytes) => digestOf(bytes)),
      signal,
    );
    expect(new Map(held.sizes)).toEqual(
      new Map([first, second].map((bytes) => [digestOf(bytes), bytes.byteLength] as const)),
    );
    expect([held.unknown.size, held.failure]).toEqual([0, undefined]);
  });
}

function refuses(kind: string, bench: () => Bench): void {
  test(`${kind}: put again it is there already`, async () => {
    const bytes = textOf(10);
    await bench().target.put(bench().spooled(bytes), signal);
    expect(await bench().target.put(bench().spooled(bytes), signal)).toEqual({ kind: "already-there" });
    expect(await bench().world.names()).toEqual([digestOf(bytes)]);
  });

  test(`${kind}: two who put the same at once both succeed`, async () => {
    const bytes = textOf(100_000);
    const answers = await Promise.all(
      [bench().spooled(bytes), bench().spooled(bytes)].map((blob) => bench().target.put(blob, signal)),
    );
    expect(answers.filter(({ kind: is }) => is !== "put" && is !== "already-there")).toEqual([]);
    expect(await bench().world.names()).toEqual([digestOf(bytes)]);
  });

  test(`${kind}: something of another size is not overwritten, and once it is taken away no more in the way`, async () => {
    const bytes = textOf(10);
    const digest = digestOf(bytes);
    await bench().world.plant(digest, textOf(7));
    expect([...(await bench().target.held([digest], signal)).sizes]).toEqual([[digest, 7]]);
    expect(await bench().target.put(bench().spooled(bytes), signal)).toMatchObject({
      kind: "unavailable",
      status: 412,
    });
    expect(await bench().read(digest)).toHaveLength(7);
    expect(await bench().target.remove(digest, signal)).toEqual({ kind: "removed" });
    expect(await bench().target.remove(digest, signal)).toEqual({ kind: "removed" });
    expect(await bench().read(digest)).toBe("absent");
    expect(await bench().target.put(bench().spooled(bytes), signal)).toEqual({ kind: "put" });
  });

  test(`${kind}: wrong bytes never get a name`, async () => {
    const digest = digestOf(textOf(10));
    const wrong = bench().spooled(new TextEncoder().encode("0123456789"), digest);
    expect(await bench().target.put(wrong, signal)).toMatchObject({ kind: "unavailable" });
    expect(await bench().world.names()).toEqual([]);
  });

  test(`${kind}: stopped, nothing is left`, async () => {
    const stop = AbortSignal.abort();
    expect(await bench().target.put(bench().spooled(textOf(1_000_000)), stop)).toMatchObject({
      kind: "unavailable",
      reason: "cancelled",
    });
    expect(await bench().world.names()).toEqual([]);
  });
}

function textOf(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode("periplus ".repeat(Math.ceil(sizeBytes / 9)).slice(0, sizeBytes));
}

function digestOf(bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}
