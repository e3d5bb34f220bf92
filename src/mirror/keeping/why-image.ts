import type { Descriptor } from "../../manifest/manifest.ts";
import { type Loaded, partsOf } from "../../manifest/walk.ts";
import type { Digest } from "../../reference/digest.ts";
import type { Registries } from "../../rules/resolve.ts";
import type { BlobRow, ManifestRow, Place } from "../../store/content-index.ts";
import type { Keeping } from "./keeping.ts";

/** How much of an image is held: a pull of what is absent goes to the upstream. */
export interface ImageState {
  readonly manifests: number;
  readonly absentManifests: number;
  readonly blobs: number;
  readonly heldBytes: number;
  readonly absentBlobs: number;
  readonly absentBytes: number;
  /** The latest pull of any of its blobs, in milliseconds since the epoch. */
  readonly lastPulledAtMs: number | undefined;
  /** Of its blobs the one that would be evicted first. */
  readonly firstEvicted: HeldBlob | undefined;
}

/** A blob, when it was last pulled, and the rule whose quota it counts against. */
interface HeldBlob {
  readonly digest: Digest;
  readonly lastPulledAtMs: number;
  readonly ruleId: string;
  readonly ruleMaxSizeBytes: number | undefined;
}

/** Walks what is held of an image; `undefined` when the digest is no manifest that is held there. */
export async function imageState(
  { index, registries }: Keeping,
  place: Place,
  digest: Digest,
): Promise<ImageState | undefined> {
  const root = await index.manifestAt(place, digest);
  if (root === undefined) return undefined;
  const load = async (child: Digest): Promise<Loaded<ManifestRow>> => {
    const row = await index.manifestAt(place, child);
    return row === undefined ? { kind: "absent" } : { kind: "row", row };
  };
  const state = { manifests: 0, absentManifests: 0, blobs: 0, heldBytes: 0, absentBlobs: 0, absentBytes: 0 };
  const held: BlobRow[] = [];
  const addBlob = async (descriptor: Descriptor): Promise<void> => {
    const row = await index.blobAt(place, descriptor.digest);
    if (row === undefined) {
      state.absentBlobs++;
      state.absentBytes += descriptor.sizeBytes;
      return;
    }
    state.blobs++;
    state.heldBytes += row.sizeBytes;
    held.push(row);
  };
  for await (const part of partsOf(root, { visited: new Set(), load, wants: () => true })) {
    if (part.kind === "manifest") state.manifests++;
    else if (part.kind === "blob") await addBlob(part.descriptor);
    else state.absentManifests++;
  }
  held.sort((a, b) => a.pulledAtMs - b.pulledAtMs);
  const [first] = held;
  return {
    ...state,
    lastPulledAtMs: held.at(-1)?.pulledAtMs,
    firstEvicted: first && {
      digest: first.digest,
      lastPulledAtMs: first.pulledAtMs,
      ruleId: first.ruleId,
      ruleMaxSizeBytes: maxSizeOf(registries, first.ruleId),
    },
  };
}

/** What the blobs of a rule may take on disk; absent also when there is no such rule any more. */
export function maxSizeOf({ table }: Registries, ruleId: string): number | undefined {
  return table.rules.find(({ id }) => id === ruleId)?.maxSizeBytes;
}
