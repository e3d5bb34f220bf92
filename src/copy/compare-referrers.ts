import { readChosen } from "./chosen.ts";
import type { Choice } from "./choice.ts";
import type { ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import type { CopyPair } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import { type Referrer, referrersOf } from "./referrers.ts";

/** How the referrers of an image that is at its target stand there. `differing` are tags that stand for something else there. */
export type ReferrersState =
  | { readonly kind: "present"; readonly count: number }
  | { readonly kind: "missing"; readonly missing: number; readonly differing: number; readonly note: string }
  | { readonly kind: "unknown"; readonly failure: CopyFailure };

/** Compares what refers to an image at its source with what is at its target. */
export async function compareReferrers(parts: RunParts, pair: CopyPair, choice: Choice): Promise<ReferrersState> {
  const { source, target } = pair;
  const chosen = await readChosen(parts, source, choice);
  if (chosen.kind === "none") return { kind: "unknown", failure: chosen.failure };
  const { referrers, problems } = await referrersOf({ ...parts, source }, parts.tags, chosen.trees);
  const [problem] = problems;
  if (problem !== undefined) return { kind: "unknown", failure: { kind: "failed", side: "source", message: problem } };
  const counts = { missing: 0, differing: 0 };
  for (const referrer of referrers) {
    const state = await stateAt(parts, target, referrer);
    if (typeof state !== "string") return { kind: "unknown", failure: state };
    if (state !== "present") counts[state]++;
  }
  const lacking = counts.missing + counts.differing;
  if (lacking === 0) return { kind: "present", count: referrers.length };
  const note = `${lacking} of ${referrers.length} referrers (signatures, SBOMs) are not there`;
  return { kind: "missing", ...counts, note };
}

async function stateAt(
  { asking }: RunParts,
  target: ImageTarget,
  { tree, tag }: Referrer,
): Promise<"differing" | "missing" | "present" | CopyFailure> {
  const head = await asking.ask(target, (limits) => target.headManifest(tag ?? tree.root, limits));
  if (head.kind === "unavailable") return failureOf(head, "target");
  if (head.kind === "absent") return "missing";
  return head.digest === undefined || head.digest === tree.root ? "present" : "differing";
}
