import { childrenOf, type Descriptor, type ManifestDocument } from "../manifest/manifest.ts";
import { mediaTypes } from "../manifest/media-types.ts";
import { type Loaded, type Part, partsOf } from "../manifest/walk.ts";
import type { Digest } from "../reference/digest.ts";
import type { ManifestBody } from "../registry/remote.ts";
import type { Asking } from "./asking.ts";
import type { ImageSource } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/** Where manifests are read. */
export interface Reading {
  readonly source: ImageSource;
  readonly asking: Asking;
  readonly shelf: ManifestShelf;
}

/** A manifest of an image, and what has to be at the target before it. */
export interface TreeNode {
  readonly body: ManifestBody;
  readonly document: ManifestDocument;
  readonly manifests: readonly Digest[];
  readonly blobs: readonly Descriptor[];
  /** True for what a build says about itself, which nobody signs. */
  readonly isAttestation: boolean;
}

/** An image as its source has it: everything that is copied of it. */
export interface ImageTree {
  readonly kind: "tree";
  readonly root: Digest;
  readonly nodes: ReadonlyMap<Digest, TreeNode>;
  readonly warnings: readonly string[];
}

/** Why there is no tree. */
export interface NoTree {
  readonly kind: "none";
  readonly failure: CopyFailure;
}

/** Reads everything that a manifest leads to. Children that the source of an index lacks are left out, with a warning. */
export async function readTree(reading: Reading, root: ManifestBody): Promise<ImageTree | NoTree> {
  const refusal = refusalOf(root.mediaType);
  if (refusal !== undefined) return none("manifest", `${root.digest} ${refusal}`);
  const walked = new Walked(reading);
  const walk = {
    visited: new Set<Digest>(),
    load: (digest: Digest) => walked.load(digest),
    wants: () => true,
  };
  for await (const part of partsOf(root, walk)) {
    const failure = walked.take(part);
    if (failure !== undefined) return { kind: "none", failure };
    if (reading.asking.signal.aborted) return none("cancelled", "stopped before everything was read");
  }
  return walked.tree(root.digest);
}

/** Why manifests of a media type are not copied, as the end of a sentence. */
export function refusalOf(mediaType: string | undefined): string | undefined {
  switch (mediaType) {
    case mediaTypes.dockerManifestV1:
    case mediaTypes.dockerManifestV1Signed:
      return "is a Docker schema 1 manifest, which registries no longer take; pull and push it with a client of today";
    case mediaTypes.artifactManifest:
      return "is an artifact manifest, which was withdrawn from the OCI specification before it was finished";
    default:
      return undefined;
  }
}

/** What a walk has met so far. */
class Walked {
  readonly #reading: Reading;
  readonly #read = new Map<Digest, { readonly body: ManifestBody; readonly document: ManifestDocument }>();
  readonly #blobs = new Set<Digest>();
  readonly #lost = new Map<Digest, CopyFailure>();
  readonly #attestations = new Set<Digest>();
  readonly #warnings: string[] = [];

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  async load(digest: Digest): Promise<Loaded<ManifestBody>> {
    const { shelf, source } = this.#reading;
    const answer = await shelf.get(source, digest);
    if (answer.kind === "absent") return answer;
    if (answer.kind === "found") return { kind: "row", row: answer };
    this.#lost.set(digest, failureOf(answer, "source"));
    return { kind: "lost", reason: answer.message };
  }

  take(part: Part<ManifestBody>): CopyFailure | undefined {
    const { name } = this.#reading.source;
    switch (part.kind) {
      case "manifest":
        this.#note(part.document);
        this.#read.set(part.row.digest, { body: part.row, document: part.document });
        return undefined;
      case "blob":
        if (!isHadElsewhere(part.descriptor)) this.#blobs.add(part.descriptor.digest);
        return undefined;
      case "absent":
        this.#warnings.push(`${name} does not have ${part.descriptor.digest}, which an index of it names`);
        return undefined;
      case "lost":
        return this.#lost.get(part.digest);
      case "refused":
        return { kind: "manifest", side: "source", message: `${name}: ${part.digest}: ${part.reason}` };
    }
  }

  tree(root: Digest): ImageTree {
    const nodes = new Map([...this.#read].map(([digest, read]) => [digest, this.#node(digest, read)] as const));
    return { kind: "tree", root, nodes, warnings: this.#warnings };
  }

  #note(document: ManifestDocument): void {
    if (document.kind !== "index") return;
    for (const { digest, platform } of document.manifests) {
      if (platform?.os === "unknown") this.#attestations.add(digest);
    }
  }

  #node(
    digest: Digest,
    { body, document }: { readonly body: ManifestBody; readonly document: ManifestDocument },
  ): TreeNode {
    const named = childrenOf(document);
    const isIndex = document.kind === "index";
    const manifests = isIndex ? named.map((child) => child.digest).filter((child) => this.#read.has(child)) : [];
    const blobs = new Map(
      named.filter((child) => this.#blobs.has(child.digest)).map((child) => [child.digest, child] as const),
    );
    return {
      body: { bytes: body.bytes, digest: body.digest, mediaType: document.mediaType ?? body.mediaType },
      document,
      manifests: [...new Set(manifests)],
      blobs: [...blobs.values()],
      isAttestation: this.#attestations.has(digest),
    };
  }
}

/** Layers that their licence keeps out of registries are had from elsewhere. OCI image spec, layer.md. */
function isHadElsewhere({ mediaType }: Descriptor): boolean {
  return /\.(foreign|nondistributable)\./.test(mediaType);
}

function none(kind: CopyFailure["kind"], message: string): NoTree {
  return { kind: "none", failure: { kind, side: "source", message } };
}
