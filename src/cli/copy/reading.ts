import { Failure } from "../../errors/failure.ts";
import { type Descriptor, parseManifest } from "../../manifest/manifest.ts";
import { PlatformChoice } from "../../manifest/platform-choice.ts";
import { algorithmOf, type Digest } from "../../reference/digest.ts";
import { formatPlatform, type Platform } from "../../reference/platform.ts";
import type { Answer, BlobStream, ManifestBody } from "../../registry/remote.ts";
import type { SourcePlace } from "./place.ts";
import type { CopySession } from "./session.ts";

/** The manifest that a reference names, or the one of a platform in it. Throws a `Failure` when it cannot be had. */
export async function manifestAt(
  { parts }: CopySession,
  { source, reference }: SourcePlace,
  platform: Platform | undefined,
): Promise<ManifestBody> {
  const root = found(
    await parts.asking.ask(source, (limits) => source.getManifest(reference, limits)),
    `${source.name}: ${reference}`,
  );
  if (platform === undefined) return root;
  const [one, ...more] = childrenFor(root, source.name, platform);
  if (one === undefined) return root;
  if (more.length > 0) {
    const names = [one, ...more].join(", ");
    throw unknown(`${source.name}:${reference} has several manifests for ${formatPlatform(platform)}: ${names}`);
  }
  return found(await parts.shelf.get(source, one), `${source.name}@${one}`);
}

/** The children of an index for a platform; none of what is no index, which is for whatever platform it is for. */
function childrenFor(root: ManifestBody, name: string, platform: Platform): readonly Digest[] {
  const document = parseManifest(root.bytes);
  if (document.kind === "refused") throw unknown(`${name}@${root.digest}: ${document.reason}`);
  if (document.kind === "manifest") return [];
  const choice = new PlatformChoice([platform]);
  choice.note(document);
  const missing = choice.missing();
  const wanted = document.manifests.filter((child) => child.platform !== undefined && choice.wants(child));
  if (wanted.length === 0) throw unknown(`${name}: ${missing ?? "no child of it says a platform"}`);
  return [...new Set(wanted.map(({ digest }) => digest))];
}

function unknown(message: string): Failure {
  return new Failure({ code: "MANIFEST_UNKNOWN", message });
}

/** A small blob whole, checked against what names it. */
export async function readBytes(
  { body }: BlobStream,
  { digest, sizeBytes }: Descriptor,
): Promise<Answer<{ readonly bytes: Uint8Array }>> {
  const hash = new Bun.CryptoHasher(algorithmOf(digest));
  const chunks: Uint8Array[] = [];
  let readSizeBytes = 0;
  for await (const chunk of body) {
    readSizeBytes += chunk.byteLength;
    if (readSizeBytes > sizeBytes) break;
    hash.update(chunk);
    chunks.push(chunk);
  }
  if (readSizeBytes === sizeBytes && digest.endsWith(hash.digest("hex"))) {
    return { kind: "found", bytes: Buffer.concat(chunks) };
  }
  const message = `what came for ${digest} is something else`;
  return { kind: "unavailable", reason: "wrong-bytes", status: undefined, message, retryAfterMs: undefined };
}

/** What an end has; else a `Failure` that says so. */
export function found<T extends object>(answer: Answer<T>, what: string): T {
  switch (answer.kind) {
    case "found":
      return answer;
    case "absent":
      throw new Failure({ code: "MANIFEST_UNKNOWN", message: `${what} is not there` });
    case "unavailable":
      throw new Failure({ code: "UPSTREAM_FAILED", message: answer.message });
  }
}
