import { isNoKnowledge } from "../../copy/failure.ts";
import type { FillImage } from "../../fill/image.ts";
import { countStates, type FillPlan, isLacking, sumsOf, type TargetPlan } from "../../fill/plan.ts";
import { showCount, showDigest, showSize } from "../cache/quantities.ts";
import { table } from "../copy/table.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";

/** Prints a plan: a row an image, a row a bucket, and the sums; or the same as JSON lines. */
export function showPlan(view: View, plan: FillPlan): void {
  if (view.isJson) {
    for (const image of plan.images) view.result(JSON.stringify({ kind: "image", ...jsonOf(plan, image) }));
    for (const target of plan.targets) view.result(JSON.stringify({ kind: "bucket", ...targetJson(plan, target) }));
    view.result(JSON.stringify({ kind: "summary", images: plan.images.length, ...sumsOf(plan) }));
    return;
  }
  view.result(
    table([["STATE", "DIGEST", "BLOBS", "SIZE", "IMAGE"], ...plan.images.map((image) => imageCells(plan, image))]),
  );
  const head = ["HELD", "MISSING", "SIZE", "WRONG", "UNKNOWN", "ASKED BY", "BUCKET"];
  view.result(`\n${table([head, ...plan.targets.map((target) => targetCells(plan, target))])}`);
  for (const { failure, warnings } of plan.images) {
    for (const line of [...(failure === undefined ? [] : [failure.message]), ...warnings]) view.note(line);
  }
  for (const { holdings } of plan.targets) if (holdings.failure !== undefined) view.note(holdings.failure.message);
  view.note(sumText(plan));
}

/** The sums of a plan in a line. */
export function sumText(plan: FillPlan): string {
  const { blobs, sizeBytes, reads, readBytes, puts, putBytes, requests } = sumsOf(plan);
  const what = `${showCount(plan.images.length, "image")}, ${showCount(blobs, "blob")} of ${showSize(sizeBytes)}`;
  if (puts === 0) return `${what}; nothing is to be put`;
  const read = `${showCount(reads, "blob")} of ${showSize(readBytes)} to read once`;
  return `${what}; ${read}, ${showCount(puts, "object")} of ${showSize(putBytes)} to put, in about ${showCount(requests, "request")}`;
}

/** The exit status of a plan: whether it can be carried out. */
export function statusOfPlan({ images, targets }: FillPlan): number {
  const states = new Set(images.map(stateOf));
  if (states.has("refused")) return exitStatus.failed;
  if (states.has("unknown") || targets.some(({ holdings }) => holdings.unknown.size > 0)) return exitStatus.incomplete;
  if (states.has("no source")) return exitStatus.replacement;
  const isWrong = targets.some(({ states: blobs }) => [...blobs.values()].includes("wrong"));
  return isWrong ? exitStatus.findings : exitStatus.clean;
}

function stateOf({ failure }: FillImage): "no source" | "read" | "refused" | "unknown" {
  if (failure === undefined) return "read";
  if (failure.kind === "absent") return "no source";
  return isNoKnowledge(failure) ? "unknown" : "refused";
}

function lackingOf({ targets }: FillPlan, { blobs }: FillImage): number {
  return blobs.filter((digest) => targets.some(({ states }) => isLacking(states.get(digest)))).length;
}

function stateIn(plan: FillPlan, image: FillImage): string {
  const state = stateOf(image);
  if (state !== "read") return state;
  return lackingOf(plan, image) > 0 ? "fill" : "there";
}

function imageCells(plan: FillPlan, image: FillImage): readonly string[] {
  const { name, digest, blobs, sizeBytes, failure } = image;
  const lacking = lackingOf(plan, image);
  const isRead = failure === undefined;
  const count = lacking === 0 ? String(blobs.length) : `${lacking} of ${blobs.length}`;
  return [
    stateIn(plan, image),
    digest === undefined ? "" : showDigest(digest),
    isRead ? count : "",
    isRead ? showSize(sizeBytes) : "",
    name,
  ];
}

function targetCells({ blobs }: FillPlan, target: TargetPlan): readonly string[] {
  const { held, missing, wrong, unknown } = countStates(target, blobs);
  const { lists, heads } = target.holdings.asked;
  const asked = [...(lists > 0 ? [showCount(lists, "list")] : []), ...(heads > 0 ? [showCount(heads, "HEAD")] : [])];
  const counts = [held.blobs, missing.blobs, showSize(missing.sizeBytes), wrong.blobs, unknown.blobs].map(String);
  return [...counts, asked.join(", "), target.target.name];
}

function jsonOf(plan: FillPlan, image: FillImage): object {
  const { name, digest, blobs, sizeBytes, failure, warnings } = image;
  const lacking = lackingOf(plan, image);
  return { name, digest, state: stateIn(plan, image), blobs: blobs.length, lacking, sizeBytes, failure, warnings };
}

function targetJson({ blobs }: FillPlan, target: TargetPlan): object {
  const { asked, failure } = target.holdings;
  return { name: target.target.name, ...countStates(target, blobs), asked, failure };
}
