import { type ChosenTrees, readChosen } from "./chosen.ts";
import type { CopyOptions } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import type { Estimate, PlanRow } from "./plan.ts";
import type { NoTree } from "./tree.ts";

/** GET at the source, HEAD and PUT at the target. */
const requestsOfManifest = 3;
/** HEAD at the target, GET at the source, and an upload's POST and PUT. */
const requestsOfBlob = 4;

/** An estimate that could be made. */
export interface Estimated {
  readonly kind: "estimate";
  readonly estimate: Estimate;
}

/** How much copying a row would be at most, from the manifests of its source. */
export async function estimateOf(
  parts: RunParts,
  { pair, choice }: PlanRow,
  options: CopyOptions,
): Promise<Estimated | NoTree> {
  if (choice === undefined)
    return { kind: "estimate", estimate: { manifests: 0, blobs: 0, sizeBytes: 0, requests: 0 } };
  const chosen = await readChosen(parts, pair.source, choice);
  if (chosen.kind === "none") return chosen;
  const { manifests, blobs, sizeBytes } = sumOf(chosen);
  const listed = options.referrers === "none" ? 0 : manifests;
  const requests = manifests * requestsOfManifest + blobs * requestsOfBlob + listed;
  return { kind: "estimate", estimate: { manifests, blobs, sizeBytes, requests } };
}

function sumOf({ trees }: ChosenTrees): Omit<Estimate, "requests"> {
  const nodes = new Map(trees.flatMap((tree) => [...tree.nodes]));
  const blobs = new Map([...nodes.values()].flatMap((node) => node.blobs.map((blob) => [blob.digest, blob] as const)));
  const sizeBytes = [...blobs.values()].reduce((sum, blob) => sum + blob.sizeBytes, 0);
  return { manifests: nodes.size, blobs: blobs.size, sizeBytes };
}
