import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGoProgram, findOwn } from "../peers/tools.ts";
import type { Row } from "../row.ts";
import { COPY_METRICS, type Copier, type CopyPlace, copyTargets, openCopies, ownProgram } from "./copy-pair.ts";

const PEERS = ["crane", "regctl", "oras"] as const;

/** One image of eight layers of 25 MB, from one registry to another that has nothing of it. */
export const copyLarge: Row = {
  id: "copy-large",
  title: "copy of an image of 200 MB",
  lifetime: "row",
  metrics: COPY_METRICS,
  targets: copyTargets(PEERS),
  open: (bench) => openCopies(bench, { images: 1, layers: 8, layerBytes: 25_000_000, copiers }),
};

const ours: Copier["args"] = ({ source, target }) => ["copy", `${source}:t0`, `${target}:t0`];

const copiers: readonly Copier[] = [
  ownProgram("bin/periplus", findOwn, ours),
  ownProgram("dist/periplus", findOwn, ours),
  {
    name: "crane",
    role: "peer",
    find: () => findGoProgram("crane", "crane"),
    args: ({ source, target }) => ["copy", "--insecure", `${source}:t0`, `${target}:t0`],
  },
  {
    name: "regctl",
    role: "peer",
    find: () => findGoProgram("regctl", "regctl"),
    args: ({ source, target }) => ["image", "copy", `${source}:t0`, `${target}:t0`],
    env: (place) => ({ REGCTL_CONFIG: regctlConfig(place) }),
  },
  {
    name: "oras",
    role: "peer",
    find: () => findGoProgram("oras", "oras"),
    args: ({ source, target }) => ["cp", "--from-plain-http", "--to-plain-http", `${source}:t0`, `${target}:t0`],
  },
];

/** That neither registry speaks TLS. */
function regctlConfig({ source, target, dir }: CopyPlace): string {
  const path = join(dir, "regctl.json");
  const hosts = [source, target].map((place) => [place.split("/")[0] ?? "", { tls: "disabled" }] as const);
  writeFileSync(path, JSON.stringify({ hosts: Object.fromEntries(hosts) }));
  return path;
}
