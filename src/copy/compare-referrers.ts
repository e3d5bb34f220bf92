import { readChosen } from "./chosen.ts";
import type { Choice } from "./choice.ts";
import type { ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import type { CopyPair } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import { type Referrer, referrersOf } from "./referrers.ts";

/** How the referrers of an image that is at its target stand there. */
export type ReferrersState =
  | { readonly kind: "present" }
  | { readonly kind: "missing"; readonly note: string }
  | { readonly kind: "unknown"; readonly failure: CopyFailure };

/** Compares what refers to an image at its source with what is at its target. */
export async function compareReferrers(parts: RunParts, pair: CopyPair, choice: Choice): Promise<ReferrersState> {
  const { source, target } = pair;
  const chosen = await readChosen(parts, source, choice);
  if (chosen.kind === "none") return { kind: "unknown", failure: chosen.failure };
  const { referrers, problems } = await referrersOf({ ...parts, source }, parts.tags, chosen.trees);
  const [problem] = problems;
  if (problem !== undefined) return { kind: "unknown", failure: { kind: "failed", side: "source", message: problem } };
  let missing = 0;
  for (const referrer of referrers) {
    const isThere = await isAt(parts, target, referrer);
    if (typeof isThere !== "boolean") return { kind: "unknown", failure: isThere };
    if (!isThere) missing++;
  }
  if (missing === 0) return { kind: "present" };
  return { kind: "missing", note: `${missing} of ${referrers.length} referrers (signatures, SBOMs) are not there` };
}

async function isAt(
  { asking }: RunParts,
  target: ImageTarget,
  { tree, tag }: Referrer,
): Promise<boolean | CopyFailure> {
  const head = await asking.ask(target, (limits) => target.headManifest(tag ?? tree.root, limits));
  if (head.kind === "unavailable") return failureOf(head, "target");
  return head.kind === "found" && (head.digest === undefined || head.digest === tree.root);
}
