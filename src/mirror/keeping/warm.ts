import type { Digest } from "../../reference/digest.ts";
import type { Events, Outcome, Progress } from "./events.ts";
import { pullOf, type Refused, resolveImage } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { Ticker } from "./ticker.ts";
import { ImageWarming, type WarmCount, type WarmOptions, type WarmTarget } from "./warm-image.ts";

/** What became of one image. `stale`: held, and the upstream gave no word whether it is still current. */
export interface WarmRow {
  readonly reference: string;
  readonly name: string;
  readonly status: "warmed" | "held" | "stale" | "failed";
  readonly digest: Digest | undefined;
  readonly manifests: number;
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly fetchedBytes: number;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

/** What became of all of them. */
export interface WarmTotals {
  readonly warmed: number;
  readonly held: number;
  readonly stale: number;
  readonly failed: number;
  readonly fetchedBytes: number;
}

/** Fills the cache ahead of the pulls: one row an image, and one bad reference stops no other. */
export async function* warm(
  keeping: Keeping,
  references: readonly string[],
  options: WarmOptions,
  signal: AbortSignal,
): Events<WarmRow, WarmTotals> {
  const totals = { warmed: 0, held: 0, stale: 0, failed: 0, fetchedBytes: 0 };
  const wanted = [...new Set(references)];
  const ticker = new Ticker(keeping, signal);
  for (const [done, reference] of wanted.entries()) {
    const before = totals.fetchedBytes;
    const progress = (receivedBytes: number): Progress => {
      return { kind: "progress", at: reference, done, total: wanted.length, bytes: before + receivedBytes };
    };
    yield progress(0);
    const target = targetOf(keeping, reference);
    if ("kind" in target) {
      totals.failed++;
      yield { kind: "result", ...refusedRow(reference, target) };
      continue;
    }
    const warming = new ImageWarming(keeping, target, options, signal);
    const running = warming.run();
    for await (const _ of ticker.during(running)) yield progress(warming.receivedBytes);
    if (signal.aborted) return;
    const row = rowOf(reference, target, await running);
    totals[row.status]++;
    totals.fetchedBytes += row.fetchedBytes;
    yield { kind: "result", ...row };
  }
  yield { kind: "summary", outcome: outcomeOf(totals), ...totals };
}

function targetOf({ registries }: Keeping, reference: string): WarmTarget | Refused {
  const image = resolveImage(registries, reference);
  if (image.kind === "refused") return image;
  const pull = pullOf(image);
  return "kind" in pull ? pull : { image, pull };
}

function refusedRow(reference: string, { reason }: Refused): WarmRow {
  const nothing = { digest: undefined, manifests: 0, blobs: 0, sizeBytes: 0, fetchedBytes: 0, warnings: [] };
  return { reference, name: reference, status: "failed", ...nothing, failures: [reason] };
}

function rowOf(reference: string, { image }: WarmTarget, { isStale, ...count }: WarmCount): WarmRow {
  return { reference, name: image.name, status: statusOf(count, isStale), ...count };
}

function statusOf({ failures, fetchedBytes }: Omit<WarmCount, "isStale">, isStale: boolean): WarmRow["status"] {
  if (failures.length > 0) return "failed";
  if (isStale) return "stale";
  return fetchedBytes > 0 ? "warmed" : "held";
}

function outcomeOf({ failed, stale }: WarmTotals): Outcome {
  if (failed > 0) return "failed";
  return stale > 0 ? "incomplete" : "clean";
}
