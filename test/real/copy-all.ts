import type { ImageSource, ImageTarget } from "../../src/copy/ends.ts";
import { childrenOf, type Descriptor, parseManifest } from "../../src/manifest/manifest.ts";
import type { Digest } from "../../src/reference/digest.ts";
import type { Tag } from "../../src/reference/repository.ts";
import type { CallLimits } from "../../src/registry/remote.ts";

const limits: CallLimits = { signal: new AbortController().signal, timeoutMs: 30_000 };

/** A copy. `platform` takes that one of an index. */
export interface CopyPlan {
  readonly from: ImageSource;
  readonly digest: Digest;
  readonly to: ImageTarget;
  readonly tag: Tag;
  readonly platform?: string;
}

/** Copies an image with all it consists of, bottom up, one after the other: what the ends have to stand, and no more. */
export async function copyAll(plan: CopyPlan): Promise<void> {
  const { from, to, tag } = plan;
  await copyManifest({ from, to, digest: await chosen(plan), reference: tag });
}

async function chosen({ from, digest, platform }: CopyPlan): Promise<Digest> {
  if (platform === undefined) return digest;
  const { document } = await manifestOf(from, digest);
  if (document.kind !== "index") return digest;
  const found = document.manifests.find(
    (child) => `${child.platform?.os}/${child.platform?.architecture}` === platform,
  );
  if (found === undefined) throw new Error(`no ${platform} in ${digest}`);
  return found.digest;
}

async function copyManifest(step: {
  readonly from: ImageSource;
  readonly to: ImageTarget;
  readonly digest: Digest;
  readonly reference: Tag | Digest;
}): Promise<void> {
  const { from, to, digest, reference } = step;
  const { answer, document } = await manifestOf(from, digest);
  for (const child of childrenOf(document)) {
    if (document.kind === "index") await copyManifest({ from, to, digest: child.digest, reference: child.digest });
    else await copyBlob(from, to, child);
  }
  const put = await to.putManifest(reference, answer, limits);
  if (put.kind !== "found") throw new Error(JSON.stringify(put));
}

async function copyBlob(from: ImageSource, to: ImageTarget, { digest, sizeBytes }: Descriptor): Promise<void> {
  const open = (startByte: number): ReturnType<ImageSource["getBlob"]> =>
    from.getBlob(digest, { startByte, endByte: undefined }, limits);
  const pushed = await to.pushBlob({ digest, sizeBytes, mountFrom: [], open }, limits);
  if (pushed.kind !== "pushed") throw new Error(JSON.stringify(pushed));
}

async function manifestOf(from: ImageSource, digest: Digest) {
  const answer = await from.getManifest(digest, limits);
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  const document = parseManifest(answer.bytes);
  if (document.kind === "refused") throw new Error(document.reason);
  return { answer, document };
}
