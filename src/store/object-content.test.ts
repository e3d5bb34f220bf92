import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListQuestion, S3Bucket } from "../s3/bucket.ts";
import { layoutOf } from "./layout.ts";
import { openObjectContent } from "./object-content.ts";

test("the digests of a shard are those of every page of its list", async () => {
  const hexes = ["ab1", "ab2", "ab3"].map((start) => start.padEnd(64, "0"));
  const asked: ListQuestion[] = [];
  const list: S3Bucket["list"] = (question) => {
    asked.push(question);
    const at = Number(question.continuation ?? 0);
    const objects = [{ key: `blobs/sha256/ab/${hexes[at]}`, sizeBytes: 1, modifiedEpochMs: undefined }];
    const next = at + 1 < hexes.length ? String(at + 1) : undefined;
    return Promise.resolve({ kind: "found", objects, next });
  };
  const root = mkdtempSync(join(tmpdir(), "periplus-object-content-"));
  try {
    // As much of a bucket as lists take.
    const content = await openObjectContent({ list } as unknown as S3Bucket, layoutOf(root), { isLinked: false });
    expect(await content.list("sha256/ab")).toEqual(hexes.map((hex) => `sha256:${hex}`));
    expect(asked.map(({ prefix }) => prefix)).toEqual(["blobs/sha256/ab/", "blobs/sha256/ab/", "blobs/sha256/ab/"]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
