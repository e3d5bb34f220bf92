import { choosePlatforms } from "../../copy/choice.ts";
import type { CopyOptions } from "../../copy/pair.ts";
import { Failure } from "../../errors/failure.ts";
import type { Platform } from "../../reference/platform.ts";
import type { Answer, BlobStream, ManifestBody } from "../../registry/remote.ts";
import { algorithmOf } from "../../reference/digest.ts";
import type { Descriptor } from "../../manifest/manifest.ts";
import type { SourcePlace } from "./places.ts";
import type { CopySession } from "./session.ts";

const options: CopyOptions = {
  platforms: [],
  mayMakeIndex: false,
  mayOverwrite: false,
  referrers: "none",
  trust: "parts",
};

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
  const choice = choosePlatforms(root, { ...options, platforms: [platform] });
  if (choice.kind === "none")
    throw new Failure({ code: "MANIFEST_UNKNOWN", message: `${source.name}: ${choice.failure.message}` });
  const [one, ...more] = choice.roots;
  if (one === undefined || more.length > 0) {
    throw new Failure({ code: "MANIFEST_UNKNOWN", message: `${source.name} has several manifests for that platform` });
  }
  return one === root.digest ? root : found(await parts.shelf.get(source, one), `${source.name}@${one}`);
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
