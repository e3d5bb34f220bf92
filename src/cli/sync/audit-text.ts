import type { Audit, AuditRow, AuditState } from "../../job/audit.ts";
import { showCount, showDigest } from "../cache/quantities.ts";
import { table } from "../copy/table.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";
import { jsonOfGap, sayGap } from "./plan-text.ts";

const words: Readonly<Record<AuditState, string>> = {
  same: "same",
  differs: "differs",
  missing: "missing",
  extra: "extra",
  "signatures-missing": "signatures missing",
  "signatures-differ": "signatures differ",
  "no-source": "no source",
  refused: "refused",
  unknown: "unknown",
};

/** The exit statuses of states as a gate; where several hold, the first of these. */
const gate: readonly (readonly [number, readonly AuditState[]])[] = [
  [exitStatus.failed, ["refused"]],
  [exitStatus.incomplete, ["unknown"]],
  [exitStatus.replacement, ["no-source"]],
  [exitStatus.findings, ["differs", "missing", "extra", "signatures-missing", "signatures-differ"]],
];

/** Prints an audit: a row for each image at each target, and the sums; or the same as JSON lines. */
export function showAudit(view: View, { rows, gaps }: Audit): void {
  if (view.isJson) {
    for (const row of rows) view.result(JSON.stringify({ kind: "result", ...row }));
    for (const gap of gaps) view.result(JSON.stringify({ kind: "gap", ...jsonOfGap(gap) }));
    view.result(JSON.stringify({ kind: "summary", ...countsOf(rows), gaps: gaps.length }));
    return;
  }
  view.result(table([["STATE", "DIGEST", "AT THE TARGET", "REFERRERS", "SOURCE", "TARGET"], ...rows.map(cellsOf)]));
  for (const { target, message } of rows) if (message !== undefined) view.note(`${target}: ${message}`);
  for (const gap of gaps) view.note(sayGap(gap));
  const sums = Object.entries(countsOf(rows)).flatMap(([state, count]) =>
    count === 0 ? [] : [`${count} ${words[state as AuditState]}`],
  );
  view.note([`${showCount(rows.length, "image")}: ${sums.join(", ")}`, ...missingLists(gaps)].join("; "));
}

/** The exit status of an audit as a gate. */
export function statusOfAudit({ rows, gaps }: Pick<Audit, "gaps" | "rows">): number {
  const states = new Set<AuditState>(rows.map(({ state }) => state));
  if (gaps.some(({ state }) => state === "unknown")) states.add("unknown");
  if (gaps.some(({ state }) => state === "absent")) states.add("no-source");
  return gate.find(([, ofThese]) => ofThese.some((state) => states.has(state)))?.[0] ?? exitStatus.clean;
}

function countsOf(rows: readonly AuditRow[]): Readonly<Record<AuditState, number>> {
  const counts: Record<AuditState, number> = {
    same: 0,
    differs: 0,
    missing: 0,
    extra: 0,
    "signatures-missing": 0,
    "signatures-differ": 0,
    "no-source": 0,
    refused: 0,
    unknown: 0,
  };
  for (const { state } of rows) counts[state]++;
  return counts;
}

function cellsOf({ state, digest, targetDigest, referrers, source, target }: AuditRow): readonly string[] {
  const [here, there] = [digest, targetDigest].map((said) => (said === undefined ? "" : showDigest(said)));
  return [
    words[state],
    here ?? "",
    there ?? "",
    referrers === undefined ? "" : String(referrers),
    source ?? "",
    target,
  ];
}

function missingLists(gaps: Audit["gaps"]): readonly string[] {
  const unlisted = gaps.filter(({ state }) => state !== "nothing").length;
  return unlisted === 0 ? [] : [`${showCount(unlisted, "list")} missing`];
}
