import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";
import type { Answer, BlobStream } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import { syncFolder } from "../store/files.ts";
import { diskFailure, hasCode } from "./disk-failure.ts";
import { HeadAsking } from "./head-asking.ts";
import type { BlobPut, BlobTarget, Holdings, SpooledBlob } from "./target.ts";

/** What a run that was killed left is swept once it is so old: another run may be writing. */
const draftMaxMs = 24 * 60 * 60_000;
const draftName = /^\.sha(?:256|512):[0-9a-f]+\.[0-9a-f-]{36}\.part$/;

/** A folder as a target, for a web server that shows it: one file a blob, `DIR/sha256:HEX`. It is made when something is put. */
export function folderTarget(folder: string, epochMs: () => number): BlobTarget {
  return {
    name: folder,
    async held(wanted) {
      await sweepDrafts(folder, epochMs());
      return await heldIn(folder, wanted);
    },
    put: (blob, signal) => put(folder, blob, signal),
    open: (digest, startByte) => openIn(folder, digest, startByte),
    async remove(digest) {
      try {
        await rm(join(folder, digest), { force: true });
        return { kind: "removed" };
      } catch (error) {
        return diskFailure(`removing ${join(folder, digest)}`, error);
      }
    },
  };
}

async function heldIn(folder: string, wanted: readonly Digest[]): Promise<Holdings> {
  const asking = new HeadAsking();
  await asking.ask(wanted, (digest) => sizeIn(folder, digest));
  return {
    sizes: asking.sizes,
    unknown: asking.unknown,
    failure: asking.failure,
    asked: { lists: 0, heads: asking.heads },
  };
}

async function sizeIn(folder: string, digest: Digest): Promise<Answer<{ readonly sizeBytes: number }>> {
  const path = join(folder, digest);
  try {
    const found = await stat(path);
    if (found.isFile()) return { kind: "found", sizeBytes: found.size };
    return unavailable("refused", `${path} is no file`);
  } catch (error) {
    return hasCode(error, "ENOENT") ? { kind: "absent" } : diskFailure(`looking for ${path}`, error);
  }
}

/** Written beside its place, hashed as it is written, on the disk before it has its name. */
async function put(folder: string, blob: SpooledBlob, signal: AbortSignal): Promise<BlobPut> {
  const { digest, sizeBytes } = blob;
  const there = await sizeIn(folder, digest);
  if (there.kind === "found" && there.sizeBytes === sizeBytes) return { kind: "already-there" };
  if (there.kind === "unavailable") return there;
  const path = join(folder, digest);
  if (there.kind === "found") {
    return unavailable("refused", `${path}: a file of ${there.sizeBytes} bytes, not ${sizeBytes}, is there`, {
      status: 412,
    });
  }
  const draft = join(folder, `.${digest}.${randomUUID()}.part`);
  try {
    await mkdir(folder, { recursive: true });
    const hex = await writeDraft(draft, blob, signal);
    if (hex !== hexOf(digest)) return unavailable("wrong-bytes", `${path}: what was written is something else`);
    await rename(draft, path);
    await syncFolder(folder);
    return { kind: "put" };
  } catch (error) {
    if (signal.aborted) return unavailable("cancelled", `${path}: stopped`);
    return diskFailure(`writing ${path}`, error);
  } finally {
    await rm(draft, { force: true }).catch(() => {});
  }
}

/** Copies a file and gives the hex of what was written. */
async function writeDraft(draft: string, { digest, path }: SpooledBlob, signal: AbortSignal): Promise<string> {
  const hash = new Bun.CryptoHasher(algorithmOf(digest));
  const file = await open(draft, "wx", 0o644);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, signal })) {
      const bytes = chunk as Buffer<ArrayBuffer>;
      hash.update(bytes);
      await file.writeFile(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function openIn(folder: string, digest: Digest, startByte: number): Promise<Answer<BlobStream>> {
  const there = await sizeIn(folder, digest);
  if (there.kind !== "found") return there;
  const body = Bun.file(join(folder, digest)).slice(startByte).stream();
  return { kind: "found", body, startByte, sizeBytes: there.sizeBytes };
}

async function sweepDrafts(folder: string, nowEpochMs: number): Promise<void> {
  // A folder that cannot be read has nothing to sweep; who puts something into it is told why.
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!draftName.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && nowEpochMs - found.mtimeMs > draftMaxMs) await rm(join(folder, name), { force: true });
  }
}
