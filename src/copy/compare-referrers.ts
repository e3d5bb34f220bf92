import type { Digest } from "../reference/digest.ts";
import type { Asking } from "./asking.ts";
import { readChosen } from "./chosen.ts";
import type { Choice } from "./choice.ts";
import type { ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import type { CopyPair } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import { type Referrer, referrersOf } from "./referrers.ts";
import type { ImageTree } from "./tree.ts";

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
  const lists: Lists = new Map();
  for (const referrer of referrers) {
    const state = await stateAt(parts, { target, lists }, referrer);
    if (typeof state !== "string") return { kind: "unknown", failure: state };
    if (state !== "present") counts[state]++;
  }
  const lacking = counts.missing + counts.differing;
  if (lacking === 0) return { kind: "present", count: referrers.length };
  const note = `${lacking} of ${referrers.length} referrers (signatures, SBOMs) are not there, or in no list there`;
  return { kind: "missing", ...counts, note };
}

/** What the target lists for each subject. */
type Lists = Map<Digest, ReturnType<ImageTarget["listReferrers"]>>;

interface TargetLists {
  readonly target: ImageTarget;
  readonly lists: Lists;
}

type State = "differing" | "missing" | "present" | CopyFailure;

async function stateAt({ asking }: RunParts, at: TargetLists, { tree, tag }: Referrer): Promise<State> {
  const { target } = at;
  const head = await asking.ask(target, (limits) => target.headManifest(tag ?? tree.root, limits));
  if (head.kind === "unavailable") return failureOf(head, "target");
  if (head.kind === "absent") return "missing";
  if (head.digest !== undefined && head.digest !== tree.root) return "differing";
  return tag === undefined ? await listedAt(asking, at, tree) : "present";
}

/** One that no list of the target names is not found there by anybody. */
async function listedAt(asking: Asking, { target, lists }: TargetLists, { root, nodes }: ImageTree): Promise<State> {
  const subject = nodes.get(root)?.document.subject?.digest;
  if (subject === undefined) return "present";
  const asked = lists.get(subject) ?? asking.ask(target, (limits) => target.listReferrers(subject, limits));
  lists.set(subject, asked);
  const list = await asked;
  if (list.kind === "unavailable") return failureOf(list, "target");
  return list.kind === "found" && list.referrers.some(({ digest }) => digest === root) ? "present" : "missing";
}
