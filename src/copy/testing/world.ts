import { parseDigest } from "../../reference/digest.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import { createManualClock, type ManualClock } from "../../registry/testing/manual-clock.ts";
import type { ImageSource, ImageTarget } from "../ends.ts";
import type { CopyOptions, CopyPair } from "../pair.ts";
import { createParts, type RunParts } from "../parts.ts";
import type { Plan } from "../plan.ts";
import { planCopies } from "../planner.ts";
import { type CopyResult, CopyRun } from "../run.ts";

/** A run in a test: time stands still until the test moves it, and what was said is kept. */
export interface TestRun {
  readonly parts: RunParts;
  readonly clock: ManualClock;
  readonly notes: readonly string[];
  readonly stop: AbortController;
}

/** A new run. */
export function testRun(): TestRun {
  const clock = createManualClock();
  const stop = new AbortController();
  const notes: string[] = [];
  const parts = createParts({ clock, signal: stop.signal, note: (message) => notes.push(message) });
  return { parts, clock, notes, stop };
}

/** Everything of an image, whatever is there. */
export const wholeOptions: CopyOptions = {
  platforms: [],
  mayMakeIndex: false,
  mayOverwrite: true,
  referrers: "copied",
  trust: "parts",
};

/** A pair of ends with the same tag, or another one at the target, or none there for a digest. */
export function pairOf(source: ImageSource, target: ImageTarget, from: string, to: string = from): CopyPair {
  const sourceReference = parseDigest(from) ?? tagOf(from);
  if (sourceReference === undefined) throw new Error(`${from} is neither tag nor digest`);
  return { source, sourceReference, target, targetTag: parseDigest(to) === undefined ? tagOf(to) : undefined };
}

function tagOf(text: string): Tag | undefined {
  return parseTag(text);
}

/** What a plan and its run came to. */
export interface Copied extends CopyResult {
  readonly plan: Plan;
}

/** Plans and copies. */
export async function copyAll(
  pairs: readonly CopyPair[],
  options: Partial<CopyOptions> = {},
  { parts }: Pick<TestRun, "parts"> = testRun(),
): Promise<Copied> {
  const all = { ...wholeOptions, ...options };
  const plan = await planCopies(parts, pairs, { options: all, estimate: "none" });
  return { plan, ...(await new CopyRun(parts, plan, { options: all, blobsAtOnce: 4 }).run()) };
}
