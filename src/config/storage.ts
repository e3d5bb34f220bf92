import { resolve } from "node:path";
import { defaultStorage } from "./defaults.ts";
import { type Draft, fromFile } from "./draft.ts";
import type { StorageEntry } from "./file.ts";
import type { PlacedRule } from "./rules.ts";
import { s3Of } from "./s3.ts";
import { isBucketText } from "./s3-url.ts";
import type { BlobPlace, StorageSettings } from "./settings.ts";

/** Where things are kept: what the command line says, else the file, else the default where a rule keeps anything. */
export function storageOf(draft: Draft, placed: readonly PlacedRule[]): StorageSettings | undefined {
  const { config, overrides, cwd } = draft;
  if (overrides.storage !== undefined) return inFolder(resolve(cwd, overrides.storage));
  if (typeof config.storage === "string") return inFolder(fromFile(draft, config.storage));
  if (config.storage !== undefined) return inParts(draft, config.storage);
  return placed.some(({ rule }) => rule.serve !== "redirect") ? inFolder(resolve(cwd, defaultStorage)) : undefined;
}

/** Everything in one folder. */
export function inFolder(folder: string): StorageSettings {
  return { folder, blobs: { kind: "files", folder }, scratch: folder };
}

function inParts(draft: Draft, entry: StorageEntry): StorageSettings {
  const given = entry.index === undefined ? undefined : fromFile(draft, entry.index);
  const blobs = blobsOf(draft, entry, given ?? resolve(draft.cwd, defaultStorage));
  const folder = given ?? (blobs.kind === "files" ? blobs.folder : resolve(draft.cwd, defaultStorage));
  // Moving a file is cheap within one file system only.
  const scratch = entry.scratch === undefined ? undefined : fromFile(draft, entry.scratch);
  return { folder, blobs, scratch: scratch ?? (blobs.kind === "files" ? blobs.folder : folder) };
}

function blobsOf(draft: Draft, { blobs, redirectBlobs }: StorageEntry, otherwise: string): BlobPlace {
  if (typeof blobs === "object" || (blobs !== undefined && isBucketText(blobs))) {
    const bucket = s3Of(draft, blobs, ["storage", "blobs"]);
    if (bucket !== undefined) return { kind: "s3", bucket, isLinked: redirectBlobs ?? false };
  } else if (redirectBlobs === true) {
    draft.findings.problem(
      ["storage", "redirectBlobs"],
      "is for blobs in a bucket: there is nowhere to send clients to",
    );
  }
  const folder = typeof blobs === "string" && !isBucketText(blobs) ? fromFile(draft, blobs) : otherwise;
  return { kind: "files", folder };
}
