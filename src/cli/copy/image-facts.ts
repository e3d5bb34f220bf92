import type { ImageSource } from "../../copy/ends.ts";
import { nameAt } from "../../copy/pair.ts";
import { type Referrer, referrersOf } from "../../copy/referrers.ts";
import { type ImageTree, readTree, type TreeNode } from "../../copy/tree.ts";
import { Failure } from "../../errors/failure.ts";
import type { Descriptor } from "../../manifest/manifest.ts";
import type { Digest } from "../../reference/digest.ts";
import { formatPlatform, type Platform } from "../../reference/platform.ts";
import { type ConfigFacts, parseConfigFacts } from "./config-facts.ts";
import type { SourcePlace } from "./place.ts";
import { found, manifestAt, readBytes } from "./reading.ts";
import type { CopySession } from "./session.ts";

/** One manifest of an image. */
export interface PlatformFacts {
  readonly platform: string;
  readonly digest: Digest;
  readonly layers: readonly { readonly digest: Digest; readonly sizeBytes: number; readonly mediaType: string }[];
  readonly sizeBytes: number;
  readonly config: ConfigFacts | undefined;
}

/** What is to be known of an image without pulling it. */
export interface ImageFacts {
  readonly name: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly platforms: readonly PlatformFacts[];
  readonly referrers: readonly { readonly name: string; readonly artifactType: string | undefined }[];
  /** What could not be found out. */
  readonly problems: readonly string[];
}

const configMaxBytes = 4 * 1024 * 1024;

/** Reads what an image says of itself, of all its platforms or one. Throws a `Failure` when it cannot be read. */
export async function readImageFacts(
  session: CopySession,
  place: SourcePlace,
  platform: Platform | undefined,
): Promise<ImageFacts> {
  const { parts } = session;
  const { source, reference } = place;
  const body = await manifestAt(session, place, platform);
  const tree = await readTree({ source, ...parts }, body);
  if (tree.kind === "none") throw new Failure({ code: "MANIFEST_INVALID", message: tree.failure.message });
  const { referrers, problems } = await referrersOf({ source, ...parts }, parts.tags, [tree]);
  return {
    name: nameAt(source, reference),
    digest: body.digest,
    mediaType: body.mediaType,
    platforms: await Promise.all(imagesOf(tree).map((image) => platformFacts(session, source, image))),
    referrers: referrers.map(referrerFacts),
    problems: [...tree.warnings, ...problems],
  };
}

interface Image {
  readonly platform: Platform | undefined;
  readonly digest: Digest;
  readonly node: TreeNode;
}

/** The manifests of a tree that are images, with the platforms that their indexes say. */
function imagesOf({ root, nodes }: ImageTree): readonly Image[] {
  const said = new Map<Digest, Platform | undefined>([[root, undefined]]);
  for (const { document } of nodes.values()) {
    if (document.kind === "index") for (const { digest, platform } of document.manifests) said.set(digest, platform);
  }
  return [...nodes].flatMap(([digest, node]) => {
    const isImage = node.document.kind === "manifest" && !node.isAttestation;
    return isImage ? [{ platform: said.get(digest), digest, node }] : [];
  });
}

async function platformFacts(
  session: CopySession,
  source: ImageSource,
  { platform, digest, node }: Image,
): Promise<PlatformFacts> {
  const { document } = node;
  const named = document.kind === "manifest" ? document.layers : [];
  const config = document.kind === "manifest" ? await configOf(session, source, document.config) : undefined;
  const layers = named.map((layer) => ({
    digest: layer.digest,
    sizeBytes: layer.sizeBytes,
    mediaType: layer.mediaType,
  }));
  return {
    platform: platform === undefined ? (config?.platform ?? "unknown") : formatPlatform(platform),
    digest,
    layers,
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    config,
  };
}

async function configOf(
  { parts }: CopySession,
  source: ImageSource,
  config: Descriptor | undefined,
): Promise<ConfigFacts | undefined> {
  if (config === undefined || config.sizeBytes > configMaxBytes || !/\bjson$/.test(config.mediaType)) return undefined;
  const range = { startByte: 0, endByte: config.sizeBytes };
  const answer = await parts.asking.ask(source, async (limits) => {
    const blob = await source.getBlob(config.digest, range, limits);
    return blob.kind === "found" ? await readBytes(blob, config) : blob;
  });
  return parseConfigFacts(new TextDecoder().decode(found(answer, `${source.name}@${config.digest}`).bytes));
}

/** cosign says in the type of the layer what it is. */
function referrerFacts({ tree, tag }: Referrer): ImageFacts["referrers"][number] {
  const document = tree.nodes.get(tree.root)?.document;
  const [layer] = document?.kind === "manifest" ? document.layers : [];
  const config = document?.kind === "manifest" ? document.config : undefined;
  const said = tag === undefined ? (config ?? layer) : (layer ?? config);
  return { name: tag ?? tree.root, artifactType: document?.artifactType ?? said?.mediaType };
}
