import { algorithmOf, type Digest, digestFrom } from "../../reference/digest.ts";
import type { HeldContent } from "../../store/content.ts";
import type { BlobRow } from "../../store/content-index.ts";
import type { Events, Outcome, Progress, Result } from "./events.ts";
import { nameOf } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { ReadingPace } from "./reading-pace.ts";
import { Ticker } from "./ticker.ts";

/** Something held that is not what its digest says. */
export interface Finding {
  readonly digest: Digest;
  readonly what: "blob" | "manifest";
  readonly problem: "missing" | "wrong-size" | "wrong-bytes" | "unreadable";
  readonly detail: string;
  /** Where it was seen; the first few. */
  readonly places: readonly string[];
  /** It was taken away, so that the next pull fetches it again. */
  readonly isRemoved: boolean;
}

/** What was read, and what of it was bad. */
export interface VerifyTotals {
  readonly blobs: number;
  readonly manifests: number;
  readonly bytes: number;
  readonly findings: number;
  readonly removed: number;
}

/** What is done with what is bad, and how fast it is looked for. */
export interface VerifyOptions {
  readonly repair: boolean;
  readonly bytesPerSecond: number;
}

type Check = { readonly problem: Finding["problem"]; readonly detail: string } | undefined;

const blobRows = 100;
const manifestRows = 8;
const placesMax = 5;

/** The bytes of content. Throws when it cannot be opened. */
async function openWhole(held: HeldContent, signal: AbortSignal): Promise<AsyncIterable<Uint8Array<ArrayBuffer>>> {
  if (held.kind === "file") return Bun.file(held.path).stream();
  const opened = await held.open({ startByte: 0, endByte: undefined }, signal);
  if (opened.kind === "found") return opened.body;
  throw new Error(opened.kind === "absent" ? "its object is gone" : opened.message);
}

/** Reads everything that is held and compares it with its digest, at a pace that leaves the disk to the pulls. */
export async function* verify(
  keeping: Keeping,
  options: VerifyOptions,
  signal: AbortSignal,
): Events<Finding, VerifyTotals> {
  const walk = new Verification(keeping, options, signal);
  yield* walk.blobs();
  yield* walk.manifests();
  if (signal.aborted) return;
  yield { kind: "summary", outcome: walk.outcome, ...walk.totals };
}

class Verification {
  readonly #keeping: Keeping;
  readonly #repair: boolean;
  readonly #signal: AbortSignal;
  readonly #pace: ReadingPace;
  readonly #ticker: Ticker;
  readonly totals = { blobs: 0, manifests: 0, bytes: 0, findings: 0, removed: 0 };
  #isIncomplete = false;

  constructor(keeping: Keeping, { repair, bytesPerSecond }: VerifyOptions, signal: AbortSignal) {
    this.#keeping = keeping;
    this.#repair = repair;
    this.#signal = signal;
    this.#pace = new ReadingPace(bytesPerSecond, keeping, signal);
    this.#ticker = new Ticker(keeping, signal);
  }

  get outcome(): Outcome {
    if (this.#isIncomplete) return "incomplete";
    return this.totals.findings > 0 ? "findings" : "clean";
  }

  async *blobs(): AsyncGenerator<Progress | Result<Finding>, void, void> {
    const { index } = this.#keeping;
    const total = (await index.counts()).blobs;
    let after = "";
    for (;;) {
      const rows = await index.blobsAfter(after, blobRows);
      for (const row of rows) {
        if (this.#signal.aborted) return;
        const checking = this.#checkBlob(row);
        for await (const _ of this.#ticker.during(checking)) {
          yield { kind: "progress", at: row.digest, done: this.totals.blobs, total, bytes: this.totals.bytes };
        }
        const check = await checking;
        this.totals.blobs++;
        if (check !== undefined) yield* this.#report({ digest: row.digest, what: "blob", ...check });
        after = row.digest;
      }
      if (rows.length < blobRows) return;
    }
  }

  async *manifests(): AsyncGenerator<Progress | Result<Finding>, void, void> {
    const { index } = this.#keeping;
    let after = "";
    for (;;) {
      const rows = await index.manifestsAfter(after, manifestRows);
      for (const { digest, bytes } of rows) {
        if (this.#signal.aborted) return;
        this.totals.manifests++;
        this.totals.bytes += bytes.byteLength;
        await this.#pace.read(bytes.byteLength);
        const hasher = new Bun.CryptoHasher(algorithmOf(digest)).update(bytes);
        const check = wrongBytes(digest, hasher);
        if (check !== undefined) yield* this.#report({ digest, what: "manifest", ...check });
        after = digest;
      }
      if (rows.length < manifestRows) return;
    }
  }

  async #checkBlob(row: BlobRow): Promise<Check> {
    const check = await this.#readBlob(row);
    if (check === undefined) return undefined;
    // Evicted while it was read: nobody claims any more that it is here.
    return (await this.#keeping.index.blob(row.digest)) === undefined ? undefined : check;
  }

  async #readBlob({ digest, sizeBytes }: BlobRow): Promise<Check> {
    const { content } = this.#keeping;
    const thereBytes = await content.stat(digest);
    if (thereBytes === undefined) return { problem: "missing", detail: "its file is gone" };
    const held = content.held(digest, sizeBytes);
    if (held === undefined || thereBytes !== sizeBytes) {
      return { problem: "wrong-size", detail: `its file has ${thereBytes} bytes in place of ${sizeBytes}` };
    }
    const hasher = new Bun.CryptoHasher(algorithmOf(digest));
    try {
      for await (const bytes of await openWhole(held, this.#signal)) {
        if (this.#signal.aborted) return undefined;
        hasher.update(bytes);
        this.totals.bytes += bytes.byteLength;
        await this.#pace.read(bytes.byteLength);
      }
    } catch (error) {
      return { problem: "unreadable", detail: error instanceof Error ? error.message : String(error) };
    }
    return wrongBytes(digest, hasher);
  }

  async *#report(finding: Omit<Finding, "places" | "isRemoved">): AsyncGenerator<Result<Finding>, void, void> {
    const { index, manifests } = this.#keeping;
    const places = (await index.placesOf(finding.digest)).slice(0, placesMax).map((place) => nameOf(place));
    const isRemoved = this.#repair && (await this.#remove(finding));
    manifests.forget();
    this.totals.findings++;
    if (isRemoved) this.totals.removed++;
    if (finding.problem === "unreadable") this.#isIncomplete = true;
    yield { kind: "result", ...finding, places, isRemoved };
  }

  /** What cannot be read may be right, and the fault may be another's: it stays. So does what a repository of our own has. */
  async #remove({ digest, what, problem }: Pick<Finding, "digest" | "what" | "problem">): Promise<boolean> {
    const { index, quota } = this.#keeping;
    if (problem === "unreadable") return false;
    if (what === "manifest") {
      await index.removeManifest(digest);
      return (await index.manifest(digest)) === undefined;
    }
    const row = await index.blob(digest);
    if (row !== undefined) await quota.remove(row);
    return (await index.blob(digest)) === undefined;
  }
}

function wrongBytes(digest: Digest, hasher: Bun.CryptoHasher): Check {
  const actual = digestFrom(algorithmOf(digest), hasher.digest("hex"));
  return actual === digest ? undefined : { problem: "wrong-bytes", detail: `its bytes have the digest ${actual}` };
}
