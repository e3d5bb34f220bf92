import type { VerifyRow } from "../../fill/verify.ts";
import { showSize } from "../cache/quantities.ts";
import { table } from "../copy/table.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";

/** In words only so many digests of a kind are named; in JSON all. */
const namedMax = 20;

/** Prints what verifying came to, and gives its exit status. */
export function showVerified(view: View, rows: readonly VerifyRow[]): number {
  if (view.isJson) for (const row of rows) view.result(JSON.stringify({ kind: "verified", ...row }));
  else showTable(view, rows);
  if (rows.some(({ unread }) => unread > 0)) return exitStatus.incomplete;
  const isFinding = rows.some(({ missing, wrong }) => missing.length + wrong.length > 0);
  return isFinding ? exitStatus.findings : exitStatus.clean;
}

function showTable(view: View, rows: readonly VerifyRow[]): void {
  const head = ["BLOBS", "MISSING", "READ", "SIZE", "RIGHT", "WRONG", "UNREAD", "BUCKET"];
  const cells = rows.map(({ name, blobs, missing, sampled, right, readBytes, wrong, unread }) => {
    const counts = [blobs, missing.length, sampled, showSize(readBytes), right, wrong.length, unread];
    return [...counts.map(String), name];
  });
  view.result(table([head, ...cells]));
  for (const { name, missing, wrong, failure } of rows) {
    nameAll(view, wrong, (digest) => `${name}/${digest} has other bytes`);
    nameAll(view, missing, (digest) => `${name}/${digest} is missing`);
    if (failure !== undefined) view.note(failure.message);
  }
}

function nameAll(view: View, digests: readonly string[], text: (digest: string) => string): void {
  for (const digest of digests.slice(0, namedMax)) view.note(text(digest));
  if (digests.length > namedMax) view.note(`and ${digests.length - namedMax} more; -o json names all`);
}
