import type { FillCounts, ImageRow, TargetRow } from "../../fill/row.ts";
import type { FillResult } from "../../fill/run.ts";
import { showCount, showDigest, showSize, showSpan } from "../cache/quantities.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";

/** Prints what became of an image, in words or as a line of JSON. */
export function showImage(view: View, row: ImageRow): void {
  if (view.isJson) {
    view.result(JSON.stringify({ kind: "image", ...row }));
    return;
  }
  const { name, status, digest, blobs, sizeBytes, failures, warnings } = row;
  const shown = digest === undefined ? "" : `  ${showDigest(digest)}`;
  const what = blobs === 0 ? "" : `  ${showCount(blobs, "blob")} of ${showSize(sizeBytes)}: ${countsText(row)}`;
  const remarks = [...failures.map(({ message }) => message), ...warnings].map((line) => `        ${line}`);
  view.result([`${status}  ${name}${shown}${what}`, ...remarks].join("\n"));
}

/** Prints what became of the buckets, and the sums, and gives the exit status. */
export function showResult(view: View, { images, targets }: FillResult, tookMs: number): number {
  for (const row of targets) showTarget(view, row);
  const failed = images.filter(({ status }) => status === "failed").length;
  const putBytes = targets.reduce((sum, row) => sum + row.putBytes, 0);
  const put = targets.reduce((sum, row) => sum + row.put + row.replaced, 0);
  const sums = { images: images.length, filled: images.length - failed, failed, put, putBytes };
  if (view.isJson) view.result(JSON.stringify({ kind: "summary", ...sums, tookMs: Math.round(tookMs) }));
  else {
    const took = tookMs < 1000 ? `${Math.round(tookMs)} ms` : showSpan(tookMs);
    view.note(
      `${sums.filled} filled, ${failed} failed; ${showCount(put, "object")} of ${showSize(putBytes)} put in ${took}`,
    );
  }
  const isWhole = failed === 0 && targets.every(({ status }) => status === "filled");
  return isWhole ? exitStatus.clean : exitStatus.failed;
}

function showTarget(view: View, row: TargetRow): void {
  if (view.isJson) {
    view.result(JSON.stringify({ kind: "bucket", ...row }));
    return;
  }
  const { name, status, putBytes, kinds, failures, wrong, isGivenUp } = row;
  const ofKinds = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const why = ofKinds.length === 0 ? "" : ` (${ofKinds.join(", ")})`;
  const remarks = [
    ...failures.map(({ message }) => message),
    ...wrong.map((digest) => `${name}/${digest} has other bytes; --verify with --apply replaces them`),
    ...(isGivenUp ? ["it was left alone for the rest"] : []),
  ];
  const line = `${status}  ${name}  ${countsText(row)}${why}, ${showSize(putBytes)} put`;
  view.result([line, ...remarks.map((remark) => `        ${remark}`)].join("\n"));
}

function countsText({ put, replaced, there, failed }: FillCounts): string {
  const counts = [`${put} put`, `${there} there`, `${replaced} replaced`, `${failed} failed`];
  return counts.filter((text, at) => at < 2 || !text.startsWith("0 ")).join(", ");
}
