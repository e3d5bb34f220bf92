import type { Digest } from "../../reference/digest.ts";
import type { Events } from "./events.ts";
import { pullOf, refused, type Refused, resolveImage } from "./image.ts";
import type { Keeping } from "./keeping.ts";

/** What a tag's upstream says of it now. `gone`: it has it not any more, and it is not held any more either. */
export interface RefreshRow {
  readonly reference: string;
  readonly name: string;
  readonly status: "unchanged" | "changed" | "fetched" | "gone" | "failed";
  readonly digest: Digest | undefined;
  /** What it was before, where that was held. */
  readonly before: Digest | undefined;
  readonly reason: string | undefined;
}

/** How many tags are how. */
export interface RefreshTotals {
  readonly unchanged: number;
  readonly changed: number;
  readonly fetched: number;
  readonly gone: number;
  readonly failed: number;
}

/** Asks each tag's upstream now, whatever its age, and fetches the manifest that it became. Layers come with the next pull. */
export async function* refresh(
  keeping: Keeping,
  references: readonly string[],
  signal: AbortSignal,
): Events<RefreshRow, RefreshTotals> {
  const totals = { unchanged: 0, changed: 0, fetched: 0, gone: 0, failed: 0 };
  for (const [done, reference] of references.entries()) {
    if (signal.aborted) return;
    yield { kind: "progress", at: reference, done, total: references.length, bytes: 0 };
    const answer = await refreshOne(keeping, reference);
    const row = "kind" in answer ? failedRow(reference, answer) : answer;
    totals[row.status]++;
    yield { kind: "result", ...row };
  }
  yield { kind: "summary", outcome: totals.failed > 0 ? "failed" : "clean", ...totals };
}

async function refreshOne({ registries, index, manifests }: Keeping, reference: string): Promise<RefreshRow | Refused> {
  const image = resolveImage(registries, reference);
  if (image.kind === "refused") return image;
  const { name, tag, place } = image;
  if (tag === undefined || image.digest !== undefined) return refused("a digest never changes; name a tag");
  const pull = pullOf(image);
  if ("kind" in pull) return pull;
  const before = (await index.tag(place, tag))?.digest;
  const outcome = await manifests.refresh(pull, tag);
  const row = { reference, name, before, digest: undefined, reason: undefined };
  switch (outcome.kind) {
    case "absent":
      return before === undefined
        ? { ...row, status: "failed", reason: `${place.upstream} says that it has no such tag` }
        : { ...row, status: "gone" };
    case "unavailable":
      return { ...row, status: "failed", digest: before, reason: outcome.message };
    case "found": {
      const { digest } = outcome.row;
      if ((await index.tag(place, tag))?.digest !== digest) {
        return { ...row, status: "failed", digest, reason: "what it is now could not be written to the index" };
      }
      if (before === undefined) return { ...row, status: "fetched", digest };
      return { ...row, status: digest === before ? "unchanged" : "changed", digest };
    }
  }
}

function failedRow(reference: string, { reason }: Refused): RefreshRow {
  return { reference, name: reference, status: "failed", digest: undefined, before: undefined, reason };
}
