import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageSource } from "../../copy/ends.ts";
import { FakeRegistry } from "../../copy/testing/fake-registry.ts";
import { blob, forPlatform, index, manifest, type TestBlob, type TestManifest } from "../../copy/testing/images.ts";
import { testRun, type TestRun } from "../../copy/testing/world.ts";
import type { Digest } from "../../reference/digest.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import { systemClock } from "../../registry/clock.ts";
import type { WantedImage } from "../image.ts";
import { planFill } from "../planner.ts";
import type { FillPlan } from "../plan.ts";
import { FillRun, type FillOptions, type FillResult } from "../run.ts";
import { s3Target } from "../s3-target.ts";
import { MemoryBucket } from "./memory-bucket.ts";

/** Two images of two platforms that share a layer, in a registry; and buckets, empty. */
export class FillWorld implements Disposable {
  readonly registry: FakeRegistry;
  readonly run: TestRun = testRun();
  readonly buckets: readonly MemoryBucket[];
  readonly shared: TestBlob = blob("shared ", 5000);
  readonly own: TestBlob = blob("own ", 300);
  readonly arm: TestBlob = blob("arm ", 400);
  readonly configs: readonly TestBlob[] = [blob('{"os":"linux"}'), blob('{"os":"linux", "more":1}')];
  readonly spoolFolder: string;

  constructor(buckets = 1, registry: FakeRegistry = new FakeRegistry("registry.test")) {
    this.registry = registry;
    this.buckets = Array.from({ length: buckets }, (_, at) => new MemoryBucket(`s3://bucket-${at}`));
    this.spoolFolder = mkdtempSync(join(tmpdir(), "periplus-fill-test-"));
    const [config, armConfig] = this.configs.map(({ named }) => named);
    const amd64 = manifest({ config, layers: [this.shared.named, this.own.named] });
    const arm64 = manifest({ config: armConfig, layers: [this.arm.named] });
    const two = index([forPlatform(amd64, "linux/amd64"), forPlatform(arm64, "linux/arm64")]);
    const one = manifest({ config, layers: [this.shared.named] });
    registry.hold("two", [...this.blobs, amd64, arm64], { v1: two });
    registry.hold("one", [...this.configs, this.shared], { v1: one });
  }

  get blobs(): readonly TestBlob[] {
    return [...this.configs, this.shared, this.own, this.arm];
  }

  /** An image of the registry, every tag of a repository without one. */
  image(name: string, tag?: string): WantedImage {
    return { source: this.source(name), reference: tag === undefined ? "every tag" : tagOf(tag) };
  }

  source(name: string): ImageSource {
    return this.registry.end(name);
  }

  plan(images: readonly WantedImage[] = [this.image("two", "v1"), this.image("one", "v1")]): Promise<FillPlan> {
    const targets = this.buckets.map((bucket) => s3Target(bucket, systemClock));
    return planFill(this.run.parts, { images, lost: [], targets, platforms: [] });
  }

  /** Carries a plan out. */
  async fill(plan: FillPlan, options: Partial<FillOptions> = {}): Promise<FillResult> {
    const run = new FillRun(this.run.parts.asking, plan, {
      spoolFolder: this.spoolFolder,
      blobsAtOnce: 2,
      mayReplace: false,
      ...options,
    });
    return await run.run();
  }

  /** What is left in the folder of blobs on their way. */
  spooled(): readonly string[] {
    return readdirSync(this.spoolFolder);
  }

  [Symbol.dispose](): void {
    rmSync(this.spoolFolder, { recursive: true });
  }
}

/** The digests of blobs, as keys of a bucket. */
export function keysOf(blobs: readonly (TestBlob | TestManifest)[]): readonly Digest[] {
  return blobs.map(({ named }) => named.digest).toSorted();
}

function tagOf(text: string): Tag {
  const tag = parseTag(text);
  if (tag === undefined) throw new Error(`${text} is no tag`);
  return tag;
}
