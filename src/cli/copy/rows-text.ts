import type { CopyResult } from "../../copy/run.ts";
import type { CopyRow } from "../../copy/row.ts";
import { showCount, showDigest, showSize, showSpan } from "../cache/quantities.ts";
import { exitStatus } from "../exit.ts";
import type { View } from "./view.ts";

/** Prints what became of an image, in words or as a line of JSON. */
export function showRow(view: View, row: CopyRow): void {
  if (view.isJson) {
    view.result(JSON.stringify({ kind: "result", ...row }));
    return;
  }
  view.result([`${row.status.padEnd(7)}  ${row.source} -> ${row.target}${aboutOf(row)}`, ...remarksOf(row)].join("\n"));
}

/** Sums of what a run did beside copying, for programs and in words. */
export interface MoreSums {
  readonly values: Readonly<Record<string, number>>;
  readonly words: readonly string[];
}

/** Prints the sums of a run and gives its exit status. */
export function showResult(
  view: View,
  { rows, failures }: CopyResult,
  tookMs: number,
  more: MoreSums = { values: {}, words: [] },
): number {
  const count = (status: CopyRow["status"]): number => rows.filter((row) => row.status === status).length;
  const sums = { copied: count("copied"), skipped: count("skipped"), failed: count("failed") };
  const incomplete = rows.filter((row) => row.incomplete.length > 0).length;
  const sentBytes = rows.reduce((sum, { figures }) => sum + figures.sentBytes, 0);
  for (const { message } of failures) view.note(message);
  if (view.isJson)
    view.result(
      JSON.stringify({ kind: "summary", ...sums, incomplete, ...more.values, sentBytes, tookMs: Math.round(tookMs) }),
    );
  else view.note([wordsOf({ ...sums, incomplete, sentBytes, tookMs }), ...more.words].join("; "));
  if (sums.failed > 0 || failures.length > 0) return exitStatus.failed;
  return incomplete > 0 ? exitStatus.incomplete : exitStatus.clean;
}

interface Sums {
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  readonly incomplete: number;
  readonly sentBytes: number;
  readonly tookMs: number;
}

function wordsOf({ copied, skipped, failed, incomplete, sentBytes, tookMs }: Sums): string {
  const missed = incomplete === 0 ? "" : `, ${incomplete} without all that refers to them`;
  const took = tookMs < 1000 ? `${Math.round(tookMs)} ms` : showSpan(tookMs);
  return `${copied} copied, ${skipped} skipped, ${failed} failed${missed}; ${showSize(sentBytes)} sent in ${took}`;
}

function aboutOf({ status, digest, why, figures }: CopyRow): string {
  if (status === "skipped") return `  ${why ?? ""}`;
  if (status === "failed") return "";
  const { manifests, blobs, sizeBytes, sentBytes, referrers } = figures;
  const made = [
    showCount(manifests.put + manifests.there, "manifest"),
    `${showCount(blobs.sent + blobs.mounted + blobs.there, "blob")} of ${showSize(sizeBytes)}`,
    `${showSize(sentBytes)} sent`,
    ...(blobs.mounted === 0 ? [] : [`${blobs.mounted} mounted`]),
    ...(referrers === 0 ? [] : [showCount(referrers, "referrer")]),
  ];
  return `  ${digest === undefined ? "by digest" : showDigest(digest)}  ${made.join(", ")}`;
}

function remarksOf({ failures, incomplete, warnings, replaced }: CopyRow): readonly string[] {
  const moved = replaced === undefined ? [] : [`it stood for ${replaced} before`];
  return [...failures.map(({ message }) => message), ...incomplete, ...moved, ...warnings].map(
    (line) => `         ${line}`,
  );
}
