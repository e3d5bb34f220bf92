import { collectionTimes, collectSteps } from "../../hosted/collect.ts";
import type { BlobRow, HeldPage, HeldTag, Link } from "../../store/content-index.ts";
import { findOrphans, removeOrphan } from "../housekeeping.ts";
import type { Events, Progress, Result } from "./events.ts";
import { nameOf } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { staleWindows } from "./windows.ts";

/** One thing that nothing needs any more. */
export interface Waste {
  /**
   * A file without a row, a row without a file, a link to content that is gone, a tag or list past its stale window, a blob
   * of a repository of our own that no manifest names.
   */
  readonly what: "file" | "row" | "link" | "tag" | "list" | "own";
  readonly name: string;
  readonly freedBytes: number;
  readonly isRemoved: boolean;
}

/** How many of each, and the bytes they took on disk or in the index. */
export interface WasteTotals {
  readonly files: number;
  readonly rows: number;
  readonly links: number;
  readonly tags: number;
  readonly lists: number;
  readonly own: number;
  readonly freedBytes: number;
  readonly isRemoved: boolean;
}

/** Whether what is found is taken away or only said. */
export interface CollectOptions {
  readonly dryRun: boolean;
}

type Found = AsyncGenerator<Progress | Result<Waste>, void, void>;

const pageRows = 200;

/** Takes away what nothing needs. What can still be served stays, however long ago it was pulled: that is the quota's. */
export async function* collect(
  keeping: Keeping,
  { dryRun }: CollectOptions,
  signal: AbortSignal,
): Events<Waste, WasteTotals> {
  const totals = { file: 0, row: 0, link: 0, tag: 0, list: 0, own: 0 };
  let freedBytes = 0;
  const collection = new Collection(keeping, dryRun, signal);
  for (const found of [
    collection.files(),
    collection.rows(),
    collection.links(),
    collection.tags(),
    collection.lists(),
    collection.own(),
  ]) {
    for await (const event of found) {
      if (event.kind === "result") {
        totals[event.what]++;
        freedBytes += event.freedBytes;
      }
      yield event;
    }
    if (signal.aborted) return;
  }
  keeping.manifests.forget();
  const { file, row, link, tag, list, own } = totals;
  const counts = { files: file, rows: row, links: link, tags: tag, lists: list, own };
  yield { kind: "summary", outcome: "clean", ...counts, freedBytes, isRemoved: !dryRun };
}

class Collection {
  readonly #keeping: Keeping;
  readonly #dryRun: boolean;
  readonly #signal: AbortSignal;

  constructor(keeping: Keeping, dryRun: boolean, signal: AbortSignal) {
    this.#keeping = keeping;
    this.#dryRun = dryRun;
    this.#signal = signal;
  }

  async *files(): Found {
    const { content, index, pause } = this.#keeping;
    const pace = { signal: this.#signal, pause: () => pause(1, this.#signal) };
    for await (const checked of findOrphans(content, index, pace)) {
      if (checked.kind === "step") {
        const { checkedFiles } = checked;
        yield { kind: "progress", at: "files", done: checkedFiles, total: undefined, bytes: 0 };
        continue;
      }
      const { digest } = checked;
      const sizeBytes = (await content.stat(digest)) ?? 0;
      if (!this.#dryRun && !(await removeOrphan(content, index, digest))) continue;
      yield this.#waste("file", digest, sizeBytes);
    }
  }

  async *rows(): Found {
    const { index, content, quota } = this.#keeping;
    for await (const row of this.#walk<BlobRow>((last) => index.blobsAfter(last?.digest ?? "", pageRows))) {
      if (content.held(row.digest, row.sizeBytes) !== undefined) continue;
      // Evicted since the page was read, it is no waste and was counted out already.
      if ((await index.blob(row.digest)) === undefined) continue;
      // What is left of a file that lost bytes is taken away with its row.
      const leftBytes = (await content.stat(row.digest)) ?? 0;
      if (!this.#dryRun) await quota.remove(row);
      yield this.#waste("row", row.digest, leftBytes);
    }
  }

  async *links(): Found {
    const { index } = this.#keeping;
    for await (const link of this.#walk<Link>((last) => index.linksAfter(last, pageRows))) {
      if (link.held) continue;
      if (!this.#dryRun) await index.unlink(link.place, link.digest);
      yield this.#waste("link", nameOf(link.place, undefined, link.digest), 0);
    }
  }

  async *tags(): Found {
    const { index, registries, nowMs } = this.#keeping;
    const windowMs = staleWindows(registries);
    for await (const { place, tag, checkedAtMs } of this.#walk<HeldTag>((last) => index.tagsAfter(last, pageRows))) {
      if (checkedAtMs + windowMs(place) > nowMs()) continue;
      if (!this.#dryRun) await index.removeTag(place, tag);
      yield this.#waste("tag", nameOf(place, tag), 0);
    }
  }

  async *lists(): Found {
    const { index, registries, nowMs } = this.#keeping;
    const windowMs = staleWindows(registries);
    for await (const page of this.#walk<HeldPage>((last) => index.pagesAfter(last, pageRows))) {
      if (page.checkedAtMs + windowMs(page.place) > nowMs()) continue;
      if (!this.#dryRun) await index.removePage(page.place, page.key);
      yield this.#waste("list", `${nameOf(page.place)} ${page.key}`, page.sizeBytes);
    }
  }

  async *own(): Found {
    const { hosted: index, content, nowMs } = this.#keeping;
    const how = { leaseMs: collectionTimes.leaseMs, dryRun: this.#dryRun };
    for await (const found of collectSteps({ index, content, nowMs }, how, this.#signal)) {
      if (found.kind === "file") yield this.#waste("file", found.digest, found.sizeBytes);
      else yield this.#waste("own", `${found.repository}@${found.digest}`, 0);
    }
  }

  /** All rows of a walk, a page in memory, until all is stopped. */
  async *#walk<Row>(pageAfter: (last: Row | undefined) => Promise<readonly Row[]>): AsyncGenerator<Row, void, void> {
    let last: Row | undefined;
    for (;;) {
      const page = await pageAfter(last);
      for (const row of page) {
        if (this.#signal.aborted) return;
        yield row;
      }
      last = page.at(-1);
      if (page.length < pageRows) return;
    }
  }

  #waste(what: Waste["what"], name: string, freedBytes: number): Result<Waste> {
    return { kind: "result", what, name, freedBytes, isRemoved: !this.#dryRun };
  }
}
