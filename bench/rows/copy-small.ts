import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGoProgram, findOwn, findRegsync } from "../peers/tools.ts";
import type { Row } from "../row.ts";
import { COPY_METRICS, type Copier, type CopyPlace, copyTargets, openCopies, ownProgram } from "./copy-pair.ts";

const AT_ONCE = 8;

/** A repository of a thousand images of one small layer each. Peers copy all tags by one command, with as much at once as helps them. */
export const copySmall: Row = {
  id: "copy-small",
  title: "copy of 1,000 small images",
  lifetime: "row",
  metrics: COPY_METRICS,
  targets: copyTargets(["crane, 8 at once", "regsync, 8 at once"]),
  open: (bench) => openCopies(bench, { images: 1000, layers: 1, layerBytes: 2048, isTls: false, copiers }),
};

const ours: Copier["args"] = ({ source, target }) => ["copy", "--all-tags", "--apply", source, target];

const copiers: readonly Copier[] = [
  ownProgram("bin/periplus", findOwn, ours),
  ownProgram("dist/periplus", findOwn, ours),
  {
    name: `crane, ${AT_ONCE} at once`,
    role: "peer",
    find: () => findGoProgram("crane", "crane"),
    args: ({ source, target }) => ["copy", "--all-tags", "--jobs", `${AT_ONCE}`, "--insecure", source, target],
  },
  {
    name: `regsync, ${AT_ONCE} at once`,
    role: "peer",
    find: findRegsync,
    args: (place) => ["-c", regsyncFile(place), "-v", "error", "once"],
  },
];

function regsyncFile({ source, target, dir }: CopyPlace): string {
  const path = join(dir, "regsync.yml");
  const creds = [source, target].map(
    (place) => `  - { registry: "${place.split("/")[0]}", tls: disabled, reqConcurrent: 16 }`,
  );
  const sync = `  - { source: "${source}", target: "${target}", type: repository }`;
  writeFileSync(
    path,
    ["version: 1", "creds:", ...creds, `defaults: { parallel: ${AT_ONCE} }`, "sync:", sync, ""].join("\n"),
  );
  return path;
}
