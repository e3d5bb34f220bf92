import { join } from "node:path";
import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender } from "./launch.ts";

const PROGRAM = join(import.meta.dir, "..", "bare.ts");

/** What a bare program does: see `bench/bare.ts`. */
export type BareJob =
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "files"; readonly root: string }
  | { readonly kind: "memory"; readonly file: string; readonly type: string }
  | { readonly kind: "fill"; readonly upstream: string };

/** The runtime alone at the same work, with nothing of ours around it: how much of a figure is the runtime's. */
export function bare(bench: Bench, job: BareJob): Contender {
  return contender(bench, {
    name: "bare Bun",
    role: "bare",
    find: () => ({ kind: "found", path: process.execPath }),
    argv: (program, place) => [program, PROGRAM, String(place.port), ...jobArgs(job, place.dir)],
  });
}

function jobArgs(job: BareJob, dir: string): readonly string[] {
  switch (job.kind) {
    case "redirect":
      return [job.kind, job.to];
    case "files":
      return [job.kind, job.root];
    case "memory":
      return [job.kind, job.file, job.type];
    case "fill":
      return [job.kind, job.upstream, dir];
  }
}
